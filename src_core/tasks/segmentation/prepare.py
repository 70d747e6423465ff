"""The request of a comparison of augmentations, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.journal import Journal
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import need_monai, of_subjects, read_split, run_digest
from src_core.tasks.options import check_levels
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.stored import EvaluationNames

__all__ = ["SegmentationData", "read_data"]


@dataclass(frozen=True, eq=False)
class SegmentationData:
    """Model and cases of a checked request, and the journal of its run.

    Attributes:
        trained, tested: the cases; ``names`` those of the training cases, by their images.
        journal: a trial for each method, seed and number of subjects.
    """

    model: Model
    trained: list[Entry]
    tested: list[Entry]
    names: dict[Path, str]
    journal: Journal


#: Options that decide a training's result; a run may resume with more methods, subjects, repeats.
_DECIDING = ("times", "levels", "steps", "batch", "size", "loss", "rate", "seed")


def read_data(request: SegmentationRequest) -> SegmentationData:
    """Check the request and open the folder; nothing is computed yet.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """
    need_monai()
    choose_device(request.device)
    model = load_model(request.model, "cpu")
    _check_model(model, request)
    trained, tested = read_split(request.train, request.test)
    for count in request.subjects:
        of_subjects(trained, count)
    names = dict(zip((e.image for e in trained), names_of(trained), strict=True))
    facts = {name: getattr(request, name) for name in _DECIDING}
    journal = Journal(
        request.out,
        run_digest(facts, model, (*trained, *tested)),
        facts,
        resume=request.resume,
        overwrite=request.overwrite,
        trial_format=EvaluationNames(request.steps),
    )
    return SegmentationData(model, trained, tested, names, journal)


def _check_model(model: Model, request: SegmentationRequest) -> None:
    if model.spec.ndim != 2:
        raise InputError(
            "it is 3D, and slices are segmented", where=str(request.model), expected="a 2D model"
        )
    check_levels(request.levels, model.spec.schedule.levels)
