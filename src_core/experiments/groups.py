"""Records grouped by their keys, and pairs of records of one case and seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.experiments.records import Key, Record
from src_core.experiments.statistics import Mean, mean_of

__all__ = ["Group", "groups_of", "measure_names", "paired", "values_of"]


@dataclass(frozen=True)
class Group:
    """Records that agree in some keys; ``group["level"]`` is the value of one of these."""

    keys: Mapping[str, Key]
    records: list[Record] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.keys[name]

    def mean(self, name: str) -> Mean:
        """Mean of a figure over its records."""
        known = [r for r in self.records if name in r.figures]
        return mean_of([r.figures[name] for r in known], [r.subject for r in known])


def groups_of(
    records: Iterable[Record], by: Sequence[str], order: str | None = None
) -> dict[tuple[Any, ...], Group]:
    """Groups of records that agree in the keys ``by``, under the values of these.

    Args:
        order: the key by which groups ascend; None for the order of their first records.
    """
    found: dict[tuple[Any, ...], Group] = {}
    for record in records:
        keys = {name: record[name] for name in by}
        found.setdefault(tuple(keys.values()), Group(keys)).records.append(record)
    if order is None:
        return found
    return dict(sorted(found.items(), key=lambda item: item[1][order]))


def paired(
    first: Iterable[Record], second: Iterable[Record], by_seed: bool = True
) -> list[tuple[Record, Record]]:
    """Records of the same case and seed, in the order of the first.

    Args:
        by_seed: False where the second have one record for all seeds of a case.
    """

    def key(record: Record) -> tuple[str, Key]:
        return record.case, record["seed"] if by_seed else 0

    known = {key(r): r for r in second}
    return [(r, known[key(r)]) for r in first if key(r) in known]


def measure_names(groups: Iterable[Group]) -> list[str]:
    """Names of all figures, in the order of their first records."""
    return list(dict.fromkeys(n for g in groups for r in g.records for n in r.figures))


def values_of(records: Sequence[Record], name: str) -> NDArray[np.float64]:
    """A figure of each record, NaN where it has none."""
    return np.array([r.figures.get(name, nan) for r in records], dtype=np.float64)
