"""Records of an evaluation by row, level and steps, and the energy that recovery removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.levels import Level, level_order
from src_core.experiments.groups import Group, groups_of, measure_names, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import Mean, finite_mean, ratio_of

__all__ = ["RowKey", "ellipse_means", "removed", "rows_of", "samples"]

#: Row, level and steps.
RowKey = tuple[str, Level, int]


def rows_of(records: Iterable[Record]) -> dict[RowKey, Group]:
    """Groups by row, level and steps, levels ascending."""
    groups = groups_of(records, ("row", "level", "steps"))
    return dict(sorted(groups.items(), key=lambda item: level_order(item[1]["level"])))


def samples(group: Group) -> list[Record]:
    """Records of one field each, in the order of case and seed; not those over all seeds."""
    single = [r for r in group.records if r["seed"] or r["row"] == "undeformed"]
    return sorted(single, key=lambda r: (r.case, r["seed"]))


def ellipse_means(records: Sequence[Record]) -> NDArray[np.float64]:
    """Mean ellipse agreement over the regions of each record; NaN where there is none."""
    ellipses = [[v for k, v in r.figures.items() if k.startswith("ellipse")] for r in records]
    return np.array([finite_mean(values) for values in ellipses])


def removed(group: Group, random: Group | None) -> dict[str, Mean]:
    """Share of the random fields' energy that is gone: in all, and per octave.

    Only cases and seeds that both groups have count.
    """
    if random is None or group["row"] in ("random", "undeformed", "drift"):
        return {}
    pairs = paired(samples(group), samples(random))
    names = [n for n in measure_names([group]) if n.startswith("energy")]
    subjects, found = [r.subject for r, _ in pairs], defaultdict[str, Mean]()
    for name in names:
        after = values_of([r for r, _ in pairs], name)
        whole = values_of([r for _, r in pairs], name)
        found[name.replace("energy", "removed", 1)] = ratio_of(whole - after, whole, subjects)
    return dict(found)
