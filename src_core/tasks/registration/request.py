"""What a comparison is asked for, checked before anything is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError, OptionName, Phrase
from src_core.experiments.journal import Journal
from src_core.io.hashing import sha256_file
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.common import chosen, need_monai, of_subjects, positive, read_split
from src_core.tasks.registration.losses import Similarity
from src_core.tasks.registration.networks import DIVISOR
from src_core.tasks.registration.samples import Pairing, real_pairs
from src_core.tasks.registration.window import Window

__all__ = ["METHODS", "Job", "Request", "prepare"]

#: None is no registration at all; +real is trained on real pairs too, without their labels.
METHODS = ("none", "mrbs", "drdm", "none+real", "mrbs+real", "drdm+real")


@dataclass(frozen=True)
class Request:
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
        size, part: of the window, see ``Window``.
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


@dataclass(eq=False)
class Job:
    """A checked request.

    Attributes:
        trained, tested: the cases; ``names`` those of the training cases, in their order.
        digest: of everything that decides a training's result.
        journal: one unit for each method and seed ("drdm 1").
    """

    request: Request
    model: Model
    trained: list[Entry]
    tested: list[Entry]
    names: list[str]
    window: Window
    digest: str
    journal: Journal
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def subjects(self) -> int:
        """How many subjects train."""
        return len({e.subject for e in self.trained})

    def trained_pairs(self) -> list[tuple[int, int]]:
        """Numbers of the training cases of each real pair, moving and fixed."""
        return real_pairs(self.trained, self.request.pairs, str(self.request.train))

    def tested_pairs(self) -> list[tuple[int, int]]:
        """The same of the test cases."""
        return real_pairs(self.tested, self.request.pairs, str(self.request.test))

    def units(self) -> list[tuple[str, int]]:
        """Method and seed of every result, what is tuned behind what it is tuned from."""
        methods = [m for m in METHODS if m in self.request.methods]
        return [(m, repeat) for repeat in range(1, self.request.repeats + 1) for m in methods]


#: Options that decide a training's result; a run may go on with more methods and repeats.
_DECIDING = ("pairs", "times", "levels", "steps", "tuning", "batch", "rate", "similarity",
             "smooth", "smooth_real", "size", "part", "seed")  # fmt: skip


def prepare(request: Request) -> Job:
    """Check everything and open the folder; nothing is computed yet.

    Raises:
        InputError: data sets, model, options or folder are not as they must be.
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
    real_pairs(tested, request.pairs, str(request.test))
    if any(method.endswith("+real") for method in request.methods):
        real_pairs(trained, request.pairs, str(request.train))
    facts = {name: getattr(request, name) for name in _DECIDING}
    digest = _digest(facts, model, trained, tested)
    journal = Journal(
        request.out, digest, facts, resume=request.resume, overwrite=request.overwrite
    )
    window = Window(request.size, request.part)
    return Job(request, model, trained, tested, names_of(trained), window, digest, journal)


def _check_numbers(request: Request) -> None:
    size, part = request.size, request.part
    if size < 2 * DIVISOR or size % DIVISOR:
        raise _impossible("size", size, f"a multiple of {DIVISOR}, {2 * DIVISOR} up")
    if not 0.1 <= part <= 1:
        raise _impossible("part", part, "0.1 to 1")
    for name in ("rate", "smooth", "smooth_real"):
        value = getattr(request, name)
        if not 0 <= value < float("inf") or (name == "rate" and not value):
            raise _impossible(name, value, "a number above 0")


def _check_model(model: Model, request: Request) -> None:
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


def _digest(
    facts: dict[str, Any], model: Model, trained: Sequence[Entry], tested: Sequence[Entry]
) -> str:
    files = [
        (e.name, e.subject, sha256_file(e.image), e.labels and sha256_file(e.labels))
        for e in (*trained, *tested)
    ]
    text = repr((sorted(facts.items()), model.sha256, files))
    return hashlib.sha256(text.encode()).hexdigest()
