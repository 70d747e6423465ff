"""The request of a comparison of registration networks, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError, OptionName, Phrase
from src_core.experiments.journal import Journal
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import chosen, need_monai, of_subjects, positive, read_split, run_digest
from src_core.tasks.registration.losses import Similarity
from src_core.tasks.registration.networks import DIVISOR
from src_core.tasks.registration.pair_batches import Pairing, real_pairs
from src_core.tasks.registration.window import InputWindow
from src_core.tasks.stored import EvaluationNames

__all__ = ["METHODS", "RegistrationData", "RegistrationRequest", "read_data"]

#: None is no registration at all; +real is trained on real pairs too, without their labels.
METHODS = ("none", "mrbs", "drdm", "none+real", "mrbs+real", "drdm+real")


@dataclass(frozen=True)
class RegistrationRequest:
    """What a call asks for.

    Attributes:
        train, test: data sets; of a CSV with splits, the rows of these splits.
        methods: of ``METHODS``.
        pairs: real pairs of one subject's cases, or between subjects.
        subjects: how many training subjects; None for all.
        times: synthetic pairs of each case.
        levels: of the model's deformations, smallest and largest.
        steps, tuning: of the training on synthetic pairs, and of that on real ones.
        batch, rate: of both.
        similarity: of images, in the training on real pairs.
        smooth, smooth_real: weights of the field's squared gradient, voxels, in either.
        size, part: of the window, see ``InputWindow``.
        repeats: trainings of each method, by seeds of their own.
        fields: a folder of deformations to use, and to fill; that of the run without.
    """

    train: Path
    test: Path
    out: Path
    model: str | Path = "cardiac-sax"
    methods: Sequence[str] = METHODS
    pairs: Pairing = "subject"
    subjects: int | None = None
    times: int = 32
    levels: tuple[int, int] = (30, 70)
    steps: int = 10_000
    tuning: int = 10_000
    batch: int = 12
    rate: float = 1e-4
    similarity: Similarity = "mse"
    smooth: float = 0.01
    smooth_real: float = 0.01
    size: int = 128
    part: float = 1.0
    seed: int = 1
    repeats: int = 1
    fields: Path | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class RegistrationData:
    """Model and cases of a checked request, and the journal of its run.

    Attributes:
        trained, tested: the cases; ``names`` those of the training cases, in their order.
        trained_pairs, tested_pairs: numbers of the cases of each real pair, moving and fixed.
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
    chosen("methods", request.methods, METHODS)
    counts = ("times", "steps", "tuning", "batch", "repeats")
    positive(**{name: getattr(request, name) for name in counts})
    _check_numbers(request)
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


def _check_numbers(request: RegistrationRequest) -> None:
    size, part = request.size, request.part
    if size < 2 * DIVISOR or size % DIVISOR:
        raise _impossible("size", size, f"a multiple of {DIVISOR}, {2 * DIVISOR} up")
    if not 0.1 <= part <= 1:
        raise _impossible("part", part, "0.1 to 1")
    for name in ("rate", "smooth", "smooth_real"):
        value = getattr(request, name)
        if not 0 <= value < float("inf") or (name == "rate" and not value):
            raise _impossible(name, value, "a number above 0")


def _check_model(model: Model, request: RegistrationRequest) -> None:
    low, high = request.levels
    highest = model.spec.schedule.levels
    if not 1 <= low <= high <= highest:
        raise _impossible("levels", f"{low}:{high}", f"levels of 1 to {highest}")
    if model.spec.ndim == 2 and request.pairs == "between":
        raise InputError(
            "slices of two subjects do not belong to each other",
            option="pairs",
            expected="a 3D model",
            do=Phrase("take ", OptionName("pairs", "subject"), " or a 3D model"),
        )


def _impossible(option: str, given: object, possible: str) -> InputError:
    return InputError(f"{given} is not possible", option=option, expected=possible)
