"""The request of a comparison of augmentations, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.journal import Journal
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import chosen, need_monai, of_subjects, positive, read_split, run_digest
from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.network import Loss
from src_core.tasks.stored import EvaluationNames

__all__ = ["SegmentationData", "SegmentationRequest", "read_data"]


@dataclass(frozen=True)
class SegmentationRequest:
    """What a call asks for.

    Attributes:
        train, test: data sets; of a CSV with splits, the rows of these splits.
        methods: of ``METHODS``.
        subjects: how many training subjects, several to compare.
        times: new cases of each; every method draws from these and from the case itself.
        levels: of the model's deformations, smallest and largest.
        steps, batch: of every training.
        size: pixels a side of the slices.
        rate: Adam's first step.
        repeats: trainings of each method, by seeds of their own.
        fields: a folder of deformations to use, and to fill; that of the run without.
    """

    train: Path
    test: Path
    out: Path
    model: str | Path = "cardiac-sax"
    methods: Sequence[str] = ("none", "bigaug", "elastic", "drdm", "drdm+appearance")
    subjects: Sequence[int] = (5,)
    times: int = 32
    levels: tuple[int, int] = (30, 70)
    steps: int = 2000
    batch: int = 16
    size: int = 128
    loss: Loss = "bce"
    rate: float = 1e-3
    seed: int = 1
    repeats: int = 1
    fields: Path | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"


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
    chosen("methods", request.methods, METHODS)
    positive(times=request.times, steps=request.steps, batch=request.batch, repeats=request.repeats)
    if request.size < 32 or request.size % 16:
        raise InputError(
            f"{request.size} is not possible", option="size", expected="a multiple of 16, 32 up"
        )
    if not 0 < request.rate < 1:
        raise InputError(f"{request.rate:g} is not possible", option="rate", expected="0 to 1")
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
    low, high = request.levels
    highest = model.spec.schedule.levels
    if not 1 <= low <= high <= highest:
        raise InputError(
            f"{low}:{high} is not possible", option="levels", expected=f"levels of 1 to {highest}"
        )
