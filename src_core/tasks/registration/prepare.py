"""The request of a comparison of registration networks, checked before anything is computed."""

from __future__ import annotations

from src_core.datasets.reading import Entry
from src_core.errors import InputError, OptionName, Phrase
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import (
    TaskData,
    check_apart,
    labelled,
    need_monai,
    of_subjects,
    open_data,
    read_split,
)
from src_core.tasks.options import check_levels
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.registration.pair_batches import real_pairs

__all__ = ["DECIDING", "read_data", "read_validation"]

#: Options that decide a training's result; a run may resume with more methods, repeats and steps
#: of tuning.
DECIDING = ("pairs", "times", "levels", "steps", "batch", "rate", "similarity", "smooth",
            "smooth_real", "mixing", "size", "part", "seed", "precision")  # fmt: skip


def read_data(request: RegistrationRequest) -> TaskData:
    """Check the request and open the folder; nothing is computed yet.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """
    need_monai()
    choose_device(request.device)
    model = load_model(request.model, "cpu")
    _check_options(model, request)
    trained, tested = read_split(request.train, request.test)
    if request.subjects is not None:
        trained = of_subjects(trained, request.subjects)
    real_pairs(tested, request.pairs, str(request.test))
    if any("+" in method for method in request.methods):
        real_pairs(trained, request.pairs, str(request.train))
    deciding = DECIDING if request.variety is None else (*DECIDING, "variety")
    return open_data(request, model, trained, tested, deciding=deciding)


def read_validation(request: RegistrationRequest, data: TaskData) -> list[Entry]:
    """Labelled cases for the training curves; none where the training data set has no such rows.

    Raises:
        InputError: no cases or pairs in a data set that was named, or subjects of other splits.
    """
    where = request.validation or request.train
    found = labelled(where, "val", strictly=request.validation is None)
    if not found and request.validation is None:
        return []
    check_apart(found, (*data.trained, *data.tested), where, "the validation and the other cases")
    real_pairs(found, request.pairs, str(where))
    return found


def _check_options(model: Model, request: RegistrationRequest) -> None:
    check_levels(request.levels, model.spec.schedule.levels)
    if request.batch < 2 and any(method.endswith("+mixed") for method in request.methods):
        raise InputError(
            "a mixed batch needs a real and a synthetic pair", option="batch", expected="2 or more"
        )
    if model.spec.ndim == 2 and request.pairs == "between":
        raise InputError(
            "slices of two subjects do not belong to each other",
            option="pairs",
            expected="a 3D model",
            do=Phrase("take ", OptionName("pairs", "subject"), " or a 3D model"),
        )
