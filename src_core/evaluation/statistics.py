"""Means over cases and seeds with errors by subject, ratios, and paired bootstraps, in NumPy.

Cases and seeds of one subject are no independent samples: errors and bootstraps go by subject.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wasserstein_distance

__all__ = [
    "Mean",
    "bootstrap",
    "interpolate",
    "mean_of",
    "ratio_of",
    "shape_distance",
    "split_half_distance",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """Mean, deviation over all values, standard error over subjects, and how many values."""

    mean: float
    sd: float
    se: float
    n: int


def mean_of(values: ArrayLike, subjects: Sequence[str]) -> Mean:
    """Mean of values, NaN left out; the error is that of the subjects' means, NaN for one."""
    numbers, names = np.asarray(values, dtype=np.float64), np.asarray(subjects)
    known = np.isfinite(numbers)
    numbers, names = numbers[known], names[known]
    if not len(numbers):
        return Mean(nan, nan, nan, 0)
    means = np.array([numbers[names == s].mean() for s in np.unique(names)])
    error = means.std(ddof=1) / len(means) ** 0.5 if len(means) > 1 else nan
    return Mean(float(numbers.mean()), float(numbers.std()), float(error), len(numbers))


def ratio_of(parts: ArrayLike, wholes: ArrayLike, subjects: Sequence[str]) -> Mean:
    """Sum of parts by sum of wholes; its error is that of a ratio estimate over subjects.

    With residuals r_s = part_s - ratio * whole_s of S subjects' sums, it is
    sqrt(S / (S - 1) * sum r_s^2) / sum whole_s. The deviation is left out.
    """
    part, whole = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    if not len(part) or whole.sum() == 0:
        return Mean(nan, nan, nan, len(part))
    ratio, names = part.sum() / whole.sum(), np.asarray(subjects)
    left = part - ratio * whole
    sums = np.array([left[names == s].sum() for s in np.unique(names)])
    count = len(sums)
    spread = (count / (count - 1) * np.square(sums).sum()) ** 0.5 if count > 1 else nan
    return Mean(float(ratio), nan, float(spread / abs(whole.sum())), len(part))


def shape_distance(values: ArrayLike, reference: ArrayLike) -> float:
    """Wasserstein distance of two samples in deviations of the reference; NaN where one is empty.

    0 is the reference's own distribution; a shift by one of its deviations is 1.
    """
    sample, real = (np.asarray(v, np.float64) for v in (values, reference))
    sample, real = sample[np.isfinite(sample)], real[np.isfinite(real)]
    if not len(sample) or len(real) < 2 or real.std() == 0:
        return nan
    return float(wasserstein_distance(sample, real) / real.std())


def split_half_distance(
    values: ArrayLike, subjects: Sequence[str], turns: int = 200, seed: int = 0
) -> Mean:
    """Real against real: distances between random halves of the subjects of one sample."""
    numbers, names = np.asarray(values, np.float64), np.asarray(subjects)
    everyone, rng, found = np.unique(names), np.random.default_rng(seed), []
    if len(everyone) < 2:
        return Mean(nan, nan, nan, 0)
    deviation = np.nanstd(numbers)
    for _ in range(turns):
        half = np.isin(names, rng.permutation(everyone)[: len(everyone) // 2])
        found.append(shape_distance(numbers[half], numbers[~half]) * np.nanstd(numbers[~half]))
    distances = np.asarray(found) / deviation if deviation else np.full(turns, nan)
    return Mean(float(np.nanmean(distances)), float(np.nanstd(distances)), nan, turns)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    subjects: Sequence[str],
    turns: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of a statistic of the samples' places, subjects drawn with replacement.

    Args:
        statistic: takes indices of samples (with repetitions).
        subjects: whose each sample is.
    """
    names = np.asarray(subjects)
    places = [np.flatnonzero(names == s) for s in np.unique(names)]
    rng, found = np.random.default_rng(seed), []
    for _ in range(turns):
        drawn = rng.integers(0, len(places), len(places))
        found.append(statistic(np.concatenate([places[i] for i in drawn])))
    low, high = np.nanquantile(found, [0.025, 0.975]) if np.isfinite(found).any() else (nan, nan)
    return float(low), float(high)


def interpolate(at: float, x: Sequence[float], y: Sequence[float]) -> float:
    """Linear between the points, in the order of x; NaN beyond them."""
    order = np.argsort(x)
    found = np.interp(at, np.asarray(x)[order], np.asarray(y)[order], left=nan, right=nan)
    return float(found)
