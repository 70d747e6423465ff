"""What an evaluation measures: rows, levels, seeds and steps, checked against a model."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from src_core.diffusion.bspline_field import CONTROL_POINTS
from src_core.evaluation.levels import Level, level_bounds, level_order
from src_core.evaluation.options import COMPARED_ROWS, ROWS, EvaluationRequest
from src_core.experiments.options import check_level

__all__ = ["RELEASE_CASES", "RELEASE_SEEDS", "EvaluationPlan", "make_plan", "plan_digest"]

#: Cases and seeds of the release's row: one slice of it takes seconds.
RELEASE_CASES, RELEASE_SEEDS = 6, 2


class EvaluationPlan(BaseModel):
    """What is measured of each case.

    Attributes:
        levels: start levels and ranges of them, ascending.
        seeds: fields of each case and level.
        steps: numbers of steps of the recovery; the tables show the first.
        rows: what to measure beside the undeformed case, in the order of tables.
        elastic_points: control points on each side of the elastic row's B-spline.
        slice: which slice of a case a 2D model is evaluated on.
        variety: of the recovery; None for the model's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[Level, ...]
    seeds: int
    steps: tuple[int, ...]
    rows: tuple[str, ...]
    elastic_points: int
    slice: Literal["largest", "middle"] = "largest"
    variety: float | None = None

    @model_serializer(mode="wrap")
    def _without_defaults(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A plan with these defaults is written as before there was a choice."""
        defaults = {"slice": "largest", "variety": None}
        return {k: v for k, v in values(self).items() if k not in defaults or v != defaults[k]}


def make_plan(request: EvaluationRequest, highest: int, default_steps: int) -> EvaluationPlan:
    """The plan of a request for a model whose highest level and own number of steps are given.

    Raises:
        InputError: the model does not have a level.
    """
    for level in request.levels:
        for bound in level_bounds(level):
            check_level("levels", bound, highest)
    rows = set(ROWS if request.rows is None else request.rows)
    if request.registered is None:
        rows.discard("registered")
    if rows & set(COMPARED_ROWS):
        rows.add("recovered")
    return EvaluationPlan(
        levels=tuple(sorted(set(request.levels), key=level_order)),
        seeds=request.seeds,
        steps=request.steps or (default_steps,),
        rows=tuple(row for row in ROWS if row in rows),
        elastic_points=request.elastic_points or CONTROL_POINTS,
        slice=request.slice,
        variety=request.variety,
    )


def plan_digest(plan: EvaluationPlan, **more: Any) -> str:
    """SHA-256 of what must be the same for a run to resume."""
    text = plan.model_dump_json() + repr(sorted(more.items()))
    return hashlib.sha256(text.encode()).hexdigest()
