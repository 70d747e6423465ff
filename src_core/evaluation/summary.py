"""From records to ``evaluation.json``: Table 1, all measures, plausibility, steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.coverage import coverage
from src_core.evaluation.organ_slope import organ_slope
from src_core.evaluation.plan import EvaluationPlan
from src_core.evaluation.plausibility import plausibility
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import RowKey, removed, rows_of
from src_core.evaluation.steps import compare_steps
from src_core.experiments.groups import Group, measure_names
from src_core.experiments.records import Record
from src_core.experiments.statistics import Mean, interpolate

__all__ = ["PAPER", "TABLE1", "paper_magnitudes", "summarise"]

TABLE1 = ("max", "mean", "central", "strict")
_AFTER = (*(f"{name}_after" for name in TABLE1), "guard_scale", "certified")
#: The paper's table 1: level -> max and mean displacement, % of the side, folds, permille.
PAPER = {
    30: (7.8, 2.4, 0.7),
    45: (10.4, 3.0, 0.9),
    55: (11.8, 3.3, 2.4),
    65: (12.7, 3.6, 6.6),
    70: (14.8, 4.3, 9.8),
}


def summarise(
    records: Sequence[Record],
    plan: EvaluationPlan,
    anatomy: Anatomy,
    reference: Reference | None,
    ndim: int,
) -> dict[str, Any]:
    """Everything the tables and figures show, as plain values; ``ndim`` of the model's grid."""
    groups = rows_of(records)
    shown = [g for g in groups.values() if g["steps"] in (0, plan.steps[0])]
    measures = [row for g in groups.values() for row in _measures(g, groups)]
    return {
        "table1": [_table1(g) for g in shown if g["row"] != "drift"],
        "measures": measures,
        "at_the_papers_magnitudes": paper_magnitudes(shown),
        "plausibility": plausibility(shown, anatomy, reference),
        "coverage": coverage(shown, anatomy, ndim, reference),
        "steps": compare_steps(groups, plan),
    }


def _table1(group: Group) -> dict[str, Any]:
    means = {name: group.mean(name) for name in (*TABLE1, *_AFTER)}
    found = {k: {"mean": m.mean, "sd": m.sd} for k, m in means.items() if m.n}
    return {
        "row": group["row"],
        "level": group["level"],
        "steps": group["steps"],
        "n": means["max"].n,
        **found,
    }


def _measures(group: Group, groups: dict[RowKey, Group]) -> list[dict[str, Any]]:
    random = groups.get(("random", group["level"], 0))
    found: dict[str, Mean] = {n: group.mean(n) for n in measure_names([group])}
    found |= removed(group, random) | organ_slope(group)
    if "sensitivity_worst" in found:
        worst = max(r.figures.get("sensitivity_worst", 0.0) for r in group.records)
        found["sensitivity_worst_of_all"] = Mean(worst, 0.0, float("nan"), 1)
    head = {"row": group["row"], "level": group["level"], "steps": group["steps"]}
    return [{**head, "measure": name, **asdict(value)} for name, value in found.items()]


def paper_magnitudes(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Folds and guard of the recovered fields where they move as much as the paper's.

    Linear between the means of the levels and the undeformed image; once by equal mean
    displacement and once by equal maximum; NaN beyond the strongest level. Ranges of levels do not
    count.
    """
    recovered = [g for g in groups if g["row"] == "recovered" and isinstance(g["level"], int)]
    names = ("central", "strict", "guard_scale")
    still = {"central": 0.0, "strict": 0.0, "guard_scale": 1.0}
    table = []
    for level, (largest, mean, folds) in PAPER.items() if recovered else ():
        for by, at in (("mean", mean), ("max", largest)):
            x = [0.0, *(g.mean(by).mean for g in recovered)]
            found = {
                n: interpolate(at, x, [still[n], *(g.mean(n).mean for g in recovered)])
                for n in names
            }
            row = {"paper_level": level, "by": by, "percent": at, "paper_central": folds}
            table.append({**row, **found})
    return table
