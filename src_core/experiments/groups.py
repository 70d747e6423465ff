"""Records of an evaluation by row, level and steps, and means of their figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.plan import Record
from src_core.experiments.statistics import Mean, mean_of, ratio_of

__all__ = ["Group", "groups_of", "measure_names", "removed", "values_of"]

Key = tuple[str, int, int]


@dataclass(frozen=True)
class Group:
    """Records of one row, level and number of steps."""

    row: str
    level: int
    steps: int
    records: list[Record] = field(default_factory=list)

    def mean(self, name: str) -> Mean:
        """Mean of a figure over cases and seeds."""
        known = [r for r in self.records if name in r.figures]
        return mean_of([r.figures[name] for r in known], [r.subject for r in known])

    @property
    def samples(self) -> list[Record]:
        """Records of one field each, in the order of case and seed; not those of all seeds."""
        single = [r for r in self.records if r.seed or r.row == "undeformed"]
        return sorted(single, key=lambda r: (r.case, r.seed))


def groups_of(records: Iterable[Record]) -> dict[Key, Group]:
    """Groups in the order in which they first came, levels ascending."""
    found: dict[Key, Group] = {}
    for record in records:
        key = record.row, record.level, record.steps
        found.setdefault(key, Group(*key)).records.append(record)
    return dict(sorted(found.items(), key=lambda item: item[0][1]))


def measure_names(groups: Iterable[Group]) -> list[str]:
    """Names of all figures, in the order in which they first came."""
    return list(dict.fromkeys(n for g in groups for r in g.records for n in r.figures))


def values_of(records: Sequence[Record], name: str) -> NDArray[np.float64]:
    """A figure of each record, NaN where it has none."""
    return np.array([r.figures.get(name, nan) for r in records], dtype=np.float64)


def removed(group: Group, random: Group | None) -> dict[str, Mean]:
    """Share of the random fields' energy that is gone: in all, and per octave.

    Only cases and seeds that both groups have count.
    """
    if random is None or group.row in ("random", "undeformed", "drift"):
        return {}
    before = {(r.case, r.seed): r for r in random.samples}
    pairs = [(r, before[r.case, r.seed]) for r in group.samples if (r.case, r.seed) in before]
    names = [n for n in measure_names([group]) if n.startswith("energy")]
    subjects, found = [r.subject for r, _ in pairs], defaultdict[str, Mean]()
    for name in names:
        after = values_of([r for r, _ in pairs], name)
        whole = values_of([r for _, r in pairs], name)
        found[name.replace("energy", "removed", 1)] = ratio_of(whole - after, whole, subjects)
    return dict(found)
