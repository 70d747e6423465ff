"""The fewest steps of a recovery that worsen no measure by more than its standard error.

For each number of steps and each measure, the loss against the largest number is the mean of the
paired differences, positive where worse; its standard error is that of the subjects' means.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from src_core.evaluation.plan import EvaluationPlan
from src_core.evaluation.rows import RowKey, ellipse_means
from src_core.experiments.groups import Group, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import mean_of

__all__ = ["compare_steps"]

#: Measure -> 1 where more is better, -1 where less is; ellipses count as their mean.
_DIRECTIONS = {
    "agreement": 1,
    "roundness": 1,
    "energy": -1,
    "central": -1,
    "strict": -1,
    "residual": -1,
    "drift": -1,
}


_ROUNDING = 1e-5


def compare_steps(groups: dict[RowKey, Group], plan: EvaluationPlan) -> dict[str, Any]:
    """Losses per number of steps, and the fewest steps that lose nothing; {} for one number."""
    most = max(plan.steps)
    if len(plan.steps) < 2:
        return {}
    table: list[dict[str, Any]] = []
    rows = [("recovered", level) for level in plan.levels]
    rows += sorted({(g["row"], g["level"]) for g in groups.values() if g["row"] == "drift"})
    for row, level in rows:
        best = groups.get((row, level, most))
        for steps in sorted(plan.steps):
            group = groups.get((row, level, steps))
            if group is not None and best is not None:
                table += [{**line, "level": level} for line in _losses(group, best)]
    enough = [s for s in sorted(plan.steps) if all(_free(e) for e in table if e["steps"] == s)]
    return {"against": most, "losses": table, "fewest": min(enough) if enough else most}


def _free(line: dict[str, Any]) -> bool:
    """Whether a loss is within its measure's error, or within rounding where there is none."""
    allowed = (line["se"], _ROUNDING * abs(line["mean"]))
    return any(line["loss"] <= value for value in allowed)


def _losses(group: Group, best: Group) -> list[dict[str, Any]]:
    pairs = paired(group.records, best.records)
    lines = []
    for name, direction in _DIRECTIONS.items():
        values, best_values = (_values([p[i] for p in pairs], name) for i in (0, 1))
        found = mean_of(direction * (best_values - values), [r.subject for r, _ in pairs])
        if found.n:
            value = mean_of(values, [r.subject for r, _ in pairs])
            lines.append(
                {
                    "steps": group["steps"],
                    "measure": name,
                    "mean": value.mean,
                    "loss": found.mean,
                    "se": value.se,
                    "loss_se": found.se,
                }
            )
    return lines


def _values(records: list[Record], name: str) -> np.ndarray:
    return ellipse_means(records) if name == "roundness" else values_of(records, name)
