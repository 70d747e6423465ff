"""What an evaluation measures: rows, levels, seeds and steps, checked against a model."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict

from src_core.diffusion.bspline_field import CONTROL_POINTS
from src_core.errors import InputError

__all__ = [
    "RELEASE_CASES",
    "RELEASE_SEEDS",
    "ROWS",
    "EvaluationPlan",
    "make_plan",
    "plan_digest",
]

#: Rows of a level, in the order of tables.
ROWS = ("random", "recovered", "no network", "elastic", "release")
#: Cases and seeds of the release's row: one slice of it takes seconds.
RELEASE_CASES, RELEASE_SEEDS = 6, 2


class EvaluationPlan(BaseModel):
    """Options of an evaluation.

    Attributes:
        levels: start levels.
        seeds: fields a case and level.
        steps: jumps of the recovery; with several, the first is that of the tables.
        rows: of ``ROWS``, what to measure beside the undeformed case.
        elastic_points: control points a side of the elastic row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[int, ...] = (30, 45, 55, 65, 70)
    seeds: int = 4
    steps: tuple[int, ...] = (8,)
    rows: tuple[str, ...] = ROWS
    elastic_points: int = CONTROL_POINTS


def make_plan(highest: int, default_steps: int, **values: Any) -> EvaluationPlan:
    """A plan checked against a model's highest level.

    Raises:
        InputError: an option is out of range; names it and what is possible.
    """
    values = {k: v for k, v in values.items() if v is not None}
    plan = EvaluationPlan.model_validate({"steps": (default_steps,), **values})
    unknown = [row for row in plan.rows if row not in ROWS]
    if unknown:
        raise _impossible("rows", unknown[0], "some of: " + ", ".join(ROWS))
    for level in plan.levels or (0,):
        if not 1 <= level <= highest:
            raise _impossible("levels", level, f"1 to {highest}, separated by commas")
    for steps in plan.steps or (0,):
        if steps < 1:
            raise _impossible("steps", steps, "1 or more, separated by commas")
    if plan.seeds < 1:
        raise _impossible("seeds", plan.seeds, "1 or more")
    if plan.elastic_points < 4:
        raise _impossible("elastic_points", plan.elastic_points, "4 or more")
    needing = {"no network", "elastic"} & set(plan.rows)
    if needing and "recovered" not in plan.rows:
        plan = plan.model_copy(update={"rows": (*plan.rows, "recovered")})
    ordered = tuple(row for row in ROWS if row in plan.rows)
    return plan.model_copy(update={"rows": ordered, "levels": tuple(sorted(set(plan.levels)))})


def plan_digest(plan: EvaluationPlan, **more: Any) -> str:
    """SHA-256 of what must be the same for a run to resume."""
    text = plan.model_dump_json() + repr(sorted(more.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _impossible(option: str, given: object, possible: str) -> InputError:
    return InputError(f"{given} is not possible", option=option, expected=possible)
