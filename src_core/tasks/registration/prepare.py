"""The request of a comparison of registration networks, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError, OptionName, Phrase
from src_core.experiments.journal import Journal
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import need_monai, of_subjects, read_split, run_digest
from src_core.tasks.options import check_levels
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.registration.pair_batches import real_pairs
from src_core.tasks.registration.window import InputWindow
from src_core.tasks.stored import EvaluationNames

__all__ = ["RegistrationData", "read_data"]


@dataclass(frozen=True, eq=False)
class RegistrationData:
    """Model and cases of a checked request, and the journal of its run.

    Attributes:
        trained, tested: the cases; ``names`` those of the training cases, in their order.
        trained_pairs, tested_pairs: indices of the cases of each real pair, moving and fixed.
        digest: of everything that decides a training's result.
        journal: a trial for each method and seed.
    """

    model: Model
    trained: list[Entry]
    tested: list[Entry]
    names: list[str]
    trained_pairs: list[tuple[int, int]]
    tested_pairs: list[tuple[int, int]]
    window: InputWindow
    digest: str
    journal: Journal

    @property
    def subjects(self) -> int:
        """Number of training subjects."""
        return len({e.subject for e in self.trained})


#: Options that decide a training's result; a run may resume with more methods and repeats.
_DECIDING = ("pairs", "times", "levels", "steps", "tuning", "batch", "rate", "similarity",
             "smooth", "smooth_real", "size", "part", "seed")  # fmt: skip


def read_data(request: RegistrationRequest) -> RegistrationData:
    """Check the request and open the folder; nothing is computed yet.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """
    need_monai()
    choose_device(request.device)
    model = load_model(request.model, "cpu")
    _check_model(model, request)
    trained, tested = read_split(request.train, request.test)
    if request.subjects is not None:
        trained = of_subjects(trained, request.subjects)
    tested_pairs = real_pairs(tested, request.pairs, str(request.test))
    trained_pairs = list[tuple[int, int]]()
    if any(method.endswith("+real") for method in request.methods):
        trained_pairs = real_pairs(trained, request.pairs, str(request.train))
    facts = {name: getattr(request, name) for name in _DECIDING}
    digest = run_digest(facts, model, (*trained, *tested))
    journal = Journal(
        request.out,
        digest,
        facts,
        resume=request.resume,
        overwrite=request.overwrite,
        trial_format=EvaluationNames(steps=0),
    )
    return RegistrationData(
        model,
        trained,
        tested,
        names_of(trained),
        trained_pairs,
        tested_pairs,
        InputWindow(request.size, request.part),
        digest,
        journal,
    )


def _check_model(model: Model, request: RegistrationRequest) -> None:
    check_levels(request.levels, model.spec.schedule.levels)
    if model.spec.ndim == 2 and request.pairs == "between":
        raise InputError(
            "slices of two subjects do not belong to each other",
            option="pairs",
            expected="a 3D model",
            do=Phrase("take ", OptionName("pairs", "subject"), " or a 3D model"),
        )
