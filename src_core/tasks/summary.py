"""Means over test cases with 95 % intervals, and paired differences of methods, by subjects.

Cases and trainings of one test subject are no independent samples: a bootstrap draws subjects.
What it leaves out is that another choice of training subjects would give another network.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from src_core.evaluation.plan import Record
from src_core.experiments.groups import Group, groups_of, measure_names, values_of
from src_core.experiments.statistics import interval, resampled_means, resampled_weights

__all__ = ["means_of", "paired_of"]

_TURNS = 10_000


def means_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """A line for each method, number of subjects and measure.

    ``low`` and ``high`` hold 95 % of the bootstrap's means; ``seeds_sd`` is the deviation of the
    trainings' means, None for one training.
    """
    lines = []
    for group in groups_of(records).values():
        weights = resampled_weights([r.subject for r in group.records], _TURNS)
        for name in measure_names([group]):
            values = values_of(group.records, name)
            low, high = interval(resampled_means(values, weights))
            lines.append(
                {
                    "method": group.row,
                    "subjects": group.level,
                    "measure": name,
                    "mean": _mean(values),
                    "low": low,
                    "high": high,
                    "n": int(np.isfinite(values).sum()),
                    "seeds_sd": _between_seeds(group, name),
                }
            )
    return lines


def paired_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """A line for each two methods, number of subjects and measure: the first's less the second's.

    The same test case and training seed are compared; a case without a figure in one of the two
    is left out.
    """
    lines: list[dict[str, Any]] = []
    groups = list(groups_of(records).values())
    for one, other in permutations(groups, 2):
        if one.level == other.level:
            lines += _differences(one, other)
    return lines


def _differences(one: Group, other: Group) -> list[dict[str, Any]]:
    theirs = {(r.case, r.seed): r for r in other.records}
    pairs = [(r, theirs[r.case, r.seed]) for r in one.records if (r.case, r.seed) in theirs]
    weights = resampled_weights([r.subject for r, _ in pairs], _TURNS) if pairs else None
    lines = []
    for name in measure_names([one]) if weights is not None else ():
        ours, others = (values_of([p[i] for p in pairs], name) for i in (0, 1))
        difference = ours - others
        low, high = interval(resampled_means(difference, weights))  # type: ignore[arg-type]
        lines.append(
            {
                "method": one.row,
                "against": other.row,
                "subjects": one.level,
                "measure": name,
                "difference": _mean(difference),
                "low": low,
                "high": high,
                "n": int(np.isfinite(difference).sum()),
            }
        )
    return lines


def _between_seeds(group: Group, name: str) -> float | None:
    seeds = sorted({r.seed for r in group.records})
    means = [_mean(values_of([r for r in group.records if r.seed == s], name)) for s in seeds]
    return float(np.std(means, ddof=1)) if len(seeds) > 1 else None


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
