"""Means over cases and seeds with errors by subject, ratios, and paired bootstraps, in NumPy.

Cases and seeds of one subject are not independent: errors and bootstraps are over subjects.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wasserstein_distance

__all__ = [
    "Array",
    "Mean",
    "crossed_weights",
    "finite_mean",
    "interpolate",
    "interval",
    "mean_of",
    "ratio_of",
    "resampled_distances",
    "resampled_means",
    "resampled_weights",
    "shape_distance",
    "split_half_distance",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """Mean, deviation over all values, standard error over subjects, and number of values."""

    mean: float
    sd: float
    se: float
    n: int


def finite_mean(values: ArrayLike) -> float:
    """Mean of the finite values; NaN where there are none."""
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    return float(known.mean()) if len(known) else nan


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
    """Wasserstein distance of two samples in standard deviations of the reference.

    0 is the reference's own distribution, 1 a shift by one deviation; NaN where one is empty.
    """
    sample, real = (np.asarray(v, np.float64) for v in (values, reference))
    sample, real = sample[np.isfinite(sample)], real[np.isfinite(real)]
    if not len(sample) or len(real) < 2 or real.std() == 0:
        return nan
    return float(wasserstein_distance(sample, real) / real.std())


def split_half_distance(
    values: ArrayLike, subjects: Sequence[str], resamples: int = 200, seed: int = 0
) -> Mean:
    """Real against real: distances between random halves of the subjects of one sample."""
    numbers, names = np.asarray(values, np.float64), np.asarray(subjects)
    everyone, rng, found = np.unique(names), np.random.default_rng(seed), []
    if len(everyone) < 2:
        return Mean(nan, nan, nan, 0)
    deviation = np.nanstd(numbers)
    for _ in range(resamples):
        half = np.isin(names, rng.permutation(everyone)[: len(everyone) // 2])
        found.append(shape_distance(numbers[half], numbers[~half]) * np.nanstd(numbers[~half]))
    distances = np.asarray(found) / deviation if deviation else np.full(resamples, nan)
    return Mean(float(np.nanmean(distances)), float(np.nanstd(distances)), nan, resamples)


def resampled_weights(subjects: Sequence[str], resamples: int = 1000, seed: int = 0) -> Array:
    """How often each sample is drawn, subjects drawn with replacement: (resamples, samples)."""
    everyone, whose = np.unique(np.asarray(subjects), return_inverse=True)
    count = len(everyone)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return np.asarray(drawn[:, whose], dtype=np.float64)


def crossed_weights(*factors: Sequence[Hashable], resamples: int = 1000, seed: int = 0) -> Array:
    """How often each sample is drawn where every factor is resampled: (resamples, samples).

    The levels of each factor (subjects, trainings, training subsets) are drawn with replacement,
    independently of the other factors, and a sample is weighted by the product of how often its
    levels were drawn: the pigeonhole bootstrap (Owen 2007, doi:10.1214/07-AOAS122). A factor of
    one level changes nothing; the first alone gives ``resampled_weights``.

    Args:
        factors: a level of each sample, for each factor.
    """
    weights = np.ones((resamples, len(factors[0])))
    for order, levels in enumerate(factors):
        names = sorted(set(levels), key=str)
        whose = [names.index(level) for level in levels]
        source = np.random.default_rng((seed, order) if order else seed)
        share = np.full(len(names), 1 / len(names))
        weights *= source.multinomial(len(names), share, resamples)[:, whose]
    return weights


def resampled_means(values: ArrayLike, weights: Array) -> Array:
    """Means of weighted samples, NaN left out: (samples,), (resamples, samples) -> (resamples,)."""
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    weights = weights[:, known]
    return np.asarray(weights @ numbers[known] / _or_nan(weights.sum(axis=1)))


def resampled_distances(values: ArrayLike, reference: ArrayLike, weights: Array) -> Array:
    """``shape_distance`` of weighted samples: (samples,), (resamples, samples) -> (resamples,).

    Wasserstein's distance is the area between the two distribution functions, which are steps at
    the values, the same for all resamples.
    """
    sample, real = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    known, real = np.isfinite(sample), np.sort(real[np.isfinite(real)])
    order = np.argsort(sample[known])
    ordered, weights = sample[known][order], weights[:, known][:, order]
    if not len(ordered) or len(real) < 2 or real.std() == 0:
        return np.full(len(weights), nan)
    at = np.sort(np.concatenate([ordered, real]))
    share = np.cumsum(weights, axis=1) / _or_nan(weights.sum(axis=1))[:, None]
    share = np.concatenate([np.zeros((len(share), 1)), share], axis=1)
    ours = share[:, np.searchsorted(ordered, at[:-1], "right")]
    theirs = np.searchsorted(real, at[:-1], "right") / len(real)
    return np.asarray(np.abs(ours - theirs) @ np.diff(at) / real.std())


def interval(resamples: Array) -> tuple[float, float]:
    """The interval that holds 95 % of the resamples, NaN left out."""
    known = resamples[np.isfinite(resamples)]
    if not len(known):
        return nan, nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _or_nan(values: Array) -> Array:
    return np.where(values > 0, values, nan)


def interpolate(at: float, x: Sequence[float], y: Sequence[float]) -> float:
    """Linear between the points, in the order of x; NaN beyond them."""
    order = np.argsort(x)
    found = np.interp(at, np.asarray(x)[order], np.asarray(y)[order], left=nan, right=nan)
    return float(found)
