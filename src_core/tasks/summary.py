"""Means over test cases with 95 % intervals, and paired differences of methods.

Values of one test subject are not independent, nor are those of one training: the bootstrap draws
both, test subjects and repeats. It does not cover the choice of training subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from src_core.experiments.groups import Group, groups_of, measure_names, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import (
    Array,
    crossed_weights,
    finite_mean,
    interval,
    resampled_means,
)

__all__ = ["means_of", "paired_of"]

_RESAMPLES = 10_000


def means_of(
    records: Sequence[Record],
    by: Sequence[str] = ("method", "subjects"),
    order: str | None = "subjects",
) -> list[dict[str, Any]]:
    """A line for each group of records that agree in the keys ``by``, and each measure.

    ``low`` and ``high`` hold 95 % of the bootstrap's means; ``seeds_sd`` is the deviation of the
    trainings' means, None for one training.

    Args:
        by: keys of the records.
        order: the key by which groups ascend; None for the order of their first records.
    """
    lines = []
    for group in groups_of(records, by, order).values():
        weights = _weights(group.records)
        for name in measure_names([group]):
            values = values_of(group.records, name)
            low, high = interval(resampled_means(values, weights))
            lines.append(
                {
                    **group.keys,
                    "measure": name,
                    "mean": finite_mean(values),
                    "low": low,
                    "high": high,
                    "n": int(np.isfinite(values).sum()),
                    "seeds_sd": _between_seeds(group, name),
                }
            )
    return lines


def paired_of(
    records: Sequence[Record], compared: str = "method", within: str = "subjects"
) -> list[dict[str, Any]]:
    """A line for each two methods, number of subjects and measure: the first's less the second's.

    The same test case and training seed are compared; a case without a figure in one of the two
    is left out.

    Args:
        compared: the key whose values are compared.
        within: the key that must agree.
    """
    lines: list[dict[str, Any]] = []
    groups = groups_of(records, (compared, within), within).values()
    for one, other in permutations(groups, 2):
        if one[within] == other[within]:
            head = {compared: one[compared], "against": other[compared], within: one[within]}
            lines += [{**head, **line} for line in _differences(one, other)]
    return lines


def _differences(one: Group, other: Group) -> list[dict[str, Any]]:
    pairs = paired(one.records, other.records)
    if not pairs:
        return []
    weights = _weights([r for r, _ in pairs])
    lines = []
    for name in measure_names([one]):
        first, second = (values_of([p[i] for p in pairs], name) for i in (0, 1))
        difference = first - second
        low, high = interval(resampled_means(difference, weights))
        lines.append(
            {
                "measure": name,
                "difference": finite_mean(difference),
                "low": low,
                "high": high,
                "n": int(np.isfinite(difference).sum()),
            }
        )
    return lines


def _weights(records: Sequence[Record]) -> Array:
    """(resamples, records): test subjects and repeats are drawn with replacement."""
    subjects, repeats = [r.subject for r in records], [r["seed"] for r in records]
    return crossed_weights(subjects, repeats, resamples=_RESAMPLES)


def _between_seeds(group: Group, name: str) -> float | None:
    seeds = sorted({r["seed"] for r in group.records})
    of_seeds = [[r for r in group.records if r["seed"] == seed] for seed in seeds]
    means = [finite_mean(values_of(records, name)) for records in of_seeds]
    return float(np.std(means, ddof=1)) if len(seeds) > 1 else None
