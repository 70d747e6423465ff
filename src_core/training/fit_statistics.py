"""The statistics by which a model tells images that fit it from others, from its training images.

Fisher's discriminant between features of training images, under other poses and intensities, and of
counterexamples; its thresholds are taken from subjects that were left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.datasets.entry import stem, subject_of
from src_core.datasets.reading import Entry, read_images
from src_core.errors import InputError
from src_core.generation.model_view import make_model_view
from src_core.io import read_case
from src_core.models.image_fit import MISFIT_BELOW, FitStatistics, best_third
from src_core.models.model import Model
from src_core.training.counterexamples import counterexample, seen_again
from src_core.training.data import ModelGrid, load_store
from src_core.training.organs import organ_side
from src_core.training.sources import split_sources

__all__ = [
    "TrainingFeatures",
    "make_fit_statistics",
    "statistics_of",
    "training_features",
]

_Array = NDArray[np.float64]

#: Share of the schedule's levels at which the network looks at undeformed images.
_LEVEL = 0.5
#: Training images and counterexamples, in 2D and in 3D.
_COUNT = {2: 240, 3: 120}
#: Of the covariance: what is added to its diagonal, as a share of the mean variance.
_SHRINKAGE = 0.1
#: Share of cases of subjects left out that lie beyond the first threshold without a margin.
_DOUBTFUL = 0.05
#: Shares of the way from there to the counterexamples; chosen on ACDC validation patients.
_MARGINS = 0.1, 0.25
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class _Source:
    """The training images of one file: (N, 1, *size) uint8, and where their organs are."""

    subject: str
    images: Tensor
    organs: Tensor | None

    def image(self, index: int) -> NDArray[np.float32]:
        values: NDArray[np.float32] = (self.images[index, 0].float() / 255).numpy()
        return values

    def mask(self, index: int) -> NDArray[np.bool_]:
        shape = tuple(self.images.shape[2:])
        if self.organs is None:
            return np.zeros(shape, bool)
        maps = self.organs[index : index + 1].float().amax(1, keepdim=True)
        found: NDArray[np.bool_] = functional.interpolate(maps, shape)[0, 0].numpy() > 127
        return found


@dataclass(frozen=True, eq=False)
class TrainingFeatures:
    """Features of training images, of counterexamples and of cases, at a level of the network.

    Attributes:
        known: (N, F), of training images under other poses and intensities.
        owners: the subject of each.
        others: (M, F), of counterexamples.
        cases: (slices, F) of each file, as a generation looks at it.
        subjects: the subject of each file.
        images: how many training images there are.
    """

    level: int
    known: _Array
    owners: tuple[str, ...]
    others: _Array
    cases: tuple[_Array, ...]
    subjects: tuple[str, ...]
    images: int


def make_fit_statistics(
    dataset: Path | str, model: Model, report: Callable[[str], None] = lambda line: None
) -> FitStatistics:
    """The statistics of a model's own training data, the rows that a column split names train.

    Raises:
        InputError: fewer than two subjects, or a network whose features are unknown.
    """
    return statistics_of(training_features(dataset, model, report))


def training_features(
    dataset: Path | str, model: Model, report: Callable[[str], None] = lambda line: None
) -> TrainingFeatures:
    """What the network sees in training images, counterexamples and whole cases.

    Raises:
        InputError: fewer than two subjects, or a network whose features are unknown.
    """
    entries, _ = split_sources(read_images(dataset), 0.0, 0)
    sources = [_source(entry, model) for entry in entries]
    subjects = tuple(source.subject for source in sources)
    if len(set(subjects)) < 2:
        raise InputError("statistics need two subjects or more", where=str(dataset))
    total = sum(len(source.images) for source in sources)
    report(f"{total} images of {len(set(subjects))} subjects")
    level, rng = max(round(_LEVEL * model.spec.schedule.levels), 1), np.random.default_rng(0)
    count = _COUNT[model.spec.ndim]
    known, shown, made = list[str](), list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for source in (sources[i] for i in _spread_over_subjects(subjects, count, rng)):
        known.append(source.subject)
        shown.append(seen_again(source.image(_any(source, rng)), rng))
        index = _any(source, rng)
        made.append(counterexample(source.image(index), source.mask(index), rng))
    report(f"showing {count} training images and {count} counterexamples to the network")
    positive, negative = (_features(model, images, level) for images in (shown, made))
    cases = tuple(_seen(model, _whole(entry, model), level) for entry in entries)
    return TrainingFeatures(level, positive, tuple(known), negative, cases, subjects, total)


def statistics_of(found: TrainingFeatures) -> FitStatistics:
    """Fisher's discriminant of features, scaled so that scores are those of ``ImageFit``."""
    low, high = _thresholds(found)
    plain = _discriminant(found.known, found.others, found.level)
    slope = float(np.log(1 / MISFIT_BELOW - 1)) / (high - low)
    return replace(
        plain,
        weights=plain.weights * slope,
        offset=slope * (plain.offset - low),
        subjects=len(set(found.subjects)),
        images=found.images,
    )


def _source(entry: Entry, model: Model) -> _Source:
    spec = model.spec
    side = organ_side(spec.schedule.control)
    organs = spec.organs if entry.labels else ()
    grid = ModelGrid(spec.size, spec.ndim, spec.preprocessing, organs, side)
    try:
        store = load_store([entry], grid, Path("unused"))
    except InputError:
        if not organs:
            raise
        store = load_store([entry], replace(grid, organs=()), Path("unused"))
    maps = None if store.organs is None else store.organs.maps
    subject = entry.subject or subject_of(stem(entry.image))
    return _Source(subject, store.images, maps)


def _whole(entry: Entry, model: Model) -> Tensor:
    """The images of a file that a generation looks at: (N, 1, *size) in 0..1."""
    return make_model_view(read_case(entry.image), model.spec).images(0)


def _spread_over_subjects(
    subjects: Sequence[str], count: int, rng: np.random.Generator
) -> list[int]:
    """Indices of files, each subject as often as any other."""
    names, found = np.unique(subjects), list[int]()
    for turn in range(count):
        own = np.flatnonzero(np.array(subjects) == names[turn % len(names)])
        found.append(int(rng.choice(own)))
    return found


def _any(source: _Source, rng: np.random.Generator) -> int:
    """An image, one with organs where any has them."""
    if source.organs is None:
        return int(rng.integers(len(source.images)))
    return int(rng.choice(np.flatnonzero(source.organs.flatten(1).any(1).numpy())))


def _features(model: Model, images: Sequence[NDArray[np.float32]], level: int) -> _Array:
    stack = torch.from_numpy(np.stack(images))[:, None]
    return np.concatenate([_seen(model, part, level) for part in stack.split(8)])


def _seen(model: Model, images: Tensor, level: int) -> _Array:
    with torch.inference_mode():
        found = model.features(images, level)
    if found is None:
        raise InputError(f"features of a network of kind {model.spec.network.kind} are unknown")
    return found[0]


def _discriminant(positive: _Array, negative: _Array, level: int) -> FitStatistics:
    """Fisher's discriminant, zero for the mean of the training images."""
    mean, scale = positive.mean(0), positive.std(0) + 1e-3
    empty = FitStatistics(level, mean, scale, np.zeros_like(mean), 0.0, 0, 0)
    known, others = empty.deviations(positive), empty.deviations(negative)
    within = (np.cov(known.T) + np.cov(others.T)) / 2
    within += _SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    weights = np.linalg.solve(within, others.mean(0) - known.mean(0))
    return replace(empty, weights=weights, offset=-float((known @ weights).mean()))


def _thresholds(found: TrainingFeatures) -> tuple[float, float]:
    """The sums above which a case is doubtful, and does not fit.

    Between what only a twentieth of the cases of subjects left out exceeds, and the median of the
    counterexamples: other scanners differ more than the subjects of one.
    """
    sums, medians = list[float](), list[float]()
    names = sorted(set(found.subjects))
    folds = min(_FOLDS, len(names))
    for fold in range(folds):
        held = names[fold::folds]
        kept = found.known[~np.isin(found.owners, held)]
        plain = _discriminant(kept, found.others, found.level)
        own = np.flatnonzero(np.isin(found.subjects, held))
        sums += [best_third(plain.sums(found.cases[i])) for i in own]
        medians.append(float(np.median(plain.sums(found.others))))
    low = float(np.quantile(sums, 1 - _DOUBTFUL))
    span = float(np.mean(medians)) - low
    return low + _MARGINS[0] * span, low + _MARGINS[1] * span
