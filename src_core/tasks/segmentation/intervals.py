"""Means and paired differences with 95 % intervals over test subjects and training subsets.

The bootstrap is hierarchical. A resample draws as many test subjects as there are, with
replacement; independently as many subsets of training subjects; and for each drawn subset as many
of its repeated trainings. The mean over all drawn combinations is a resample's mean; the interval
holds the middle 95 % of 10,000. For a difference, trainings are paired by subset and repeat, cases
by name, and the difference itself is resampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import nan

import numpy as np
from numpy.typing import NDArray

from src_core.experiments.records import Record
from src_core.experiments.statistics import finite_mean, interval

__all__ = ["Interval", "bootstrap", "difference_of", "mean_interval", "table_of"]

RESAMPLES = 10_000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean, its 95 % interval, and numbers of test subjects, subsets and trainings."""

    mean: float
    low: float
    high: float
    test_subjects: int
    subsets: int
    trainings: int


def table_of(records: Sequence[Record], measure: str) -> dict[tuple[str, int, int], float]:
    """A measure of each test subject, mean over its cases, by subject, subset and seed."""
    found: dict[tuple[str, int, int], list[float]] = {}
    for record in records:
        key = record.subject, int(record["subset"]), int(record["seed"])
        found.setdefault(key, []).append(record.figures.get(measure, nan))
    return {key: finite_mean(values) for key, values in found.items()}


def mean_interval(records: Sequence[Record], measure: str) -> Interval:
    """Mean of a measure over the records of one method and number of subjects."""
    return bootstrap(table_of(records, measure))


def difference_of(one: Sequence[Record], other: Sequence[Record], measure: str) -> Interval:
    """The first method's measure less the second's, over what both have.

    Cases are paired one by one: a case without the measure in one of the two is left out.
    """
    known = {_key(r): r.figures.get(measure, nan) for r in other}
    found: dict[tuple[str, int, int], list[float]] = {}
    for record in one:
        if _key(record) in known:
            key = record.subject, int(record["subset"]), int(record["seed"])
            difference = record.figures.get(measure, nan) - known[_key(record)]
            found.setdefault(key, []).append(difference)
    return bootstrap({key: finite_mean(values) for key, values in found.items()})


def bootstrap(
    values: Mapping[tuple[str, int, int], float], resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Interval of the mean of values by test subject, subset and seed, NaN left out."""
    subjects = sorted({s for s, *_ in values})
    trainings = sorted({(subset, seed) for _, subset, seed in values})
    if not values:
        return Interval(nan, nan, nan, 0, 0, 0)
    table = np.full((len(trainings), len(subjects)), nan)
    for (subject, *training), value in values.items():
        table[trainings.index(tuple(training)), subjects.index(subject)] = value  # type: ignore[arg-type]
    subsets, count = tuple(subset for subset, _ in trainings), len(subjects)
    rows, columns = _weights(subsets, count, resamples, seed)
    known = np.isfinite(table)
    sums = ((rows @ np.where(known, table, 0.0)) * columns).sum(1)
    sizes = ((rows @ known.astype(np.float64)) * columns).sum(1)
    low, high = interval(sums / np.where(sizes > 0, sizes, nan))
    return Interval(finite_mean(table), low, high, count, len(set(subsets)), len(trainings))


@lru_cache(maxsize=64)
def _weights(
    subsets: tuple[int, ...], count: int, resamples: int, seed: int
) -> tuple[Array, Array]:
    """How often trainings and test subjects are drawn: (resamples, trainings or subjects)."""
    rng = np.random.default_rng(seed)
    rows = _training_weights(subsets, resamples, rng)
    columns = rng.multinomial(count, np.full(count, 1 / count), resamples)
    return rows, columns.astype(np.float64)


def _training_weights(subsets: Sequence[int], resamples: int, rng: np.random.Generator) -> Array:
    """How often each training is drawn: subsets, then repeats within each drawn subset."""
    names, of = np.unique(subsets, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    weights = np.zeros((resamples, len(subsets)))
    for index in range(len(names)):
        own = np.flatnonzero(of == index)
        shares = np.full(len(own), 1 / len(own))
        weights[:, own] = rng.multinomial(drawn[:, index] * len(own), shares) / len(own)
    return weights


def _key(record: Record) -> tuple[str, int, int]:
    return record.case, int(record["subset"]), int(record["seed"])
