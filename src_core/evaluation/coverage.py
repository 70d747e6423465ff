"""Coverage: the spread of generated anatomies beside that of real subjects.

The spread over the seeds of one source is kept apart from that between sources, which exists
before any deformation. ``ratio`` is the spread over seeds divided by that between real subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.manifold import RealCases, manifold_row
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import samples
from src_core.evaluation.spread import KINDS, SpreadMeasure, spread_measures
from src_core.experiments.groups import Group, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import finite_mean, mean_of, ratio_of

__all__ = ["coverage"]


@dataclass(frozen=True)
class _Context:
    """What every row is compared with."""

    measures: list[SpreadMeasure]
    anatomy: Anatomy
    real: RealCases
    still: list[Record]


def coverage(
    groups: Sequence[Group], anatomy: Anatomy, ndim: int, reference: Reference | None
) -> dict[str, Any]:
    """Spreads, unevenness of walls, precision and recall of each row and level.

    Args:
        groups: rows of an evaluation with the undeformed one, of one number of steps.
        anatomy: of the data set; nothing is measured without labels.
        ndim: axes of the model's grid.
        reference: other real subjects, counted besides the evaluated ones.

    Returns:
        ``subjects``, the number of real ones; ``spread``, ``means``, ``walls`` and ``manifold``, a
        list of rows each.
    """
    if not anatomy.labels:
        return {}
    still = [r for g in groups if g["row"] == "undeformed" for r in g.records]
    real = RealCases.of(still, reference)
    context = _Context(spread_measures(anatomy, ndim), anatomy, real, still)
    made = [g for g in groups if g["row"] not in ("undeformed", "drift") and samples(g)]
    everyone = [g for g in groups if g["row"] != "drift" and samples(g)]
    spread = [line for g in made for line in _spread(g, context)]
    return {
        "subjects": len(set(real.subjects)),
        "spread": spread,
        "means": [_means(g, spread) for g in made],
        "walls": [line for g in made for line in _walls(g, context)],
        "manifold": [manifold_row(g, context.measures, real, still) for g in everyone],
    }


def _spread(group: Group, context: _Context) -> list[dict[str, Any]]:
    """A line for each measure that the group has values of."""
    table = []
    for measure in context.measures:
        line = _measured(group, measure, context)
        if line["sources"]:
            table.append({**_head(group), **line})
    return table


def _measured(group: Group, measure: SpreadMeasure, context: _Context) -> dict[str, Any]:
    by_case: dict[str, list[Record]] = {}
    for record in samples(group):
        by_case.setdefault(record.case, []).append(record)
    values = [measure.values([r.figures for r in records]) for records in by_case.values()]
    subjects = [records[0].subject for records in by_case.values()]
    within = mean_of([measure.sd(v) for v in values], subjects)
    real = _per_subject(measure, context.real)
    between_real = measure.sd(real)
    return {
        "measure": measure.name,
        "kind": measure.kind,
        "unit": KINDS[measure.kind],
        "within_source": within.mean,
        "se": within.se,
        "between_sources": measure.sd(np.stack([measure.mean(v) for v in values])),
        "total": measure.sd(np.concatenate(values)),
        "real": between_real,
        "real_cases": measure.sd(measure.values(context.real.figures)),
        "ratio": within.mean / between_real if between_real > 0 else nan,
        "sources": within.n,
    }


def _per_subject(measure: SpreadMeasure, real: RealCases) -> NDArray[np.float64]:
    """(subjects, k): mean over the cases of each real subject."""
    values, names = measure.values(real.figures), np.asarray(real.subjects)
    means = [measure.mean(values[names == s]) for s in np.unique(names)]
    return np.stack(means) if means else values


def _means(group: Group, spread: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Spread over seeds and ratio of each kind of measure, the mean over its measures."""
    lines = [s for s in spread if (s["row"], s["level"]) == (group["row"], group["level"])]
    found: dict[str, Any] = _head(group)
    for kind in KINDS:
        of_kind = [s for s in lines if s["kind"] == kind]
        found[kind] = finite_mean([s["within_source"] for s in of_kind])
        found[f"{kind}_ratio"] = finite_mean([s["ratio"] for s in of_kind])
    return found


def _walls(group: Group, context: _Context) -> list[dict[str, Any]]:
    """Unevenness of each wall relative to the undeformed cases."""
    pairs = paired(samples(group), context.still, by_seed=False)
    table = []
    for wall, _ in context.anatomy.walls:
        values, still = (values_of([p[i] for p in pairs], f"unevenness {wall}") for i in (0, 1))
        known = np.isfinite(values) & np.isfinite(still)
        subjects = [r.subject for (r, _), k in zip(pairs, known, strict=True) if k]
        found = ratio_of(values[known], still[known], subjects)
        line = {"measure": f"unevenness {wall}", "relative": found.mean, "se": found.se}
        table.append({**_head(group), **line, "n": found.n})
    return table


def _head(group: Group) -> dict[str, Any]:
    return {"row": group["row"], "level": group["level"]}
