"""Proportions with 95 % intervals, and a test against guessing.

Exact: Clopper and Pearson 1934 (doi:10.1093/biomet/26.4.404); Wilson 1927
(doi:10.1080/01621459.1927.10502953).
"""

from __future__ import annotations

from math import nan, sqrt
from typing import Literal

import numpy as np
from scipy.stats import beta, binomtest, norm

from src_core.experiments.statistics import Array

__all__ = ["CONFIDENCE", "IntervalKind", "area_under_curve", "chance_p", "proportion_interval"]

IntervalKind = Literal["exact", "wilson"]
CONFIDENCE = 0.95


def proportion_interval(
    count: int, total: int, kind: IntervalKind = "exact", confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The interval of a proportion, ``count`` of ``total``; NaN of nothing."""
    if not total:
        return nan, nan
    tail = (1 - confidence) / 2
    if kind == "wilson":
        return _wilson(count / total, total, float(norm.ppf(1 - tail)))
    low = beta.ppf(tail, count, total - count + 1) if count else 0.0
    high = beta.ppf(1 - tail, count + 1, total - count) if count < total else 1.0
    return float(low), float(high)


def chance_p(count: int, total: int) -> float:
    """Probability, if a reader guesses, of a count as unlikely as this one (two-sided, exact)."""
    return float(binomtest(count, total, 0.5).pvalue) if total else nan


def area_under_curve(real: Array, other: Array, weights: tuple[Array, Array]) -> Array:
    """Probability that a real image is scored higher than another, ties counted half.

    Args:
        real, other: scores, (N,) and (M,).
        weights: how often each counts, (R, N) and (R, M).

    Returns:
        (R,), NaN where nothing counts.
    """
    above = (real[:, None] > other) + 0.5 * (real[:, None] == other)
    pairs = weights[0].sum(axis=1) * weights[1].sum(axis=1)
    total = ((weights[0] @ above) * weights[1]).sum(axis=1)
    return np.asarray(total / np.where(pairs > 0, pairs, nan))


def _wilson(share: float, total: int, z: float) -> tuple[float, float]:
    middle = share + z * z / (2 * total)
    reach = z * sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
