"""What an evaluation measures: rows, levels, seeds and steps, checked against a model."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict

from src_core.diffusion.bspline_field import CONTROL_POINTS
from src_core.evaluation.options import ROWS, EvaluationRequest
from src_core.experiments.options import check_level

__all__ = ["RELEASE_CASES", "RELEASE_SEEDS", "EvaluationPlan", "make_plan", "plan_digest"]

#: Cases and seeds of the release's row: one slice of it takes seconds.
RELEASE_CASES, RELEASE_SEEDS = 6, 2


class EvaluationPlan(BaseModel):
    """What is measured of each case.

    Attributes:
        levels: start levels, ascending.
        seeds: fields of each case and level.
        steps: numbers of steps of the recovery; the tables show the first.
        rows: what to measure beside the undeformed case, in the order of tables.
        elastic_points: control points on each side of the elastic row's B-spline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[int, ...]
    seeds: int
    steps: tuple[int, ...]
    rows: tuple[str, ...]
    elastic_points: int


def make_plan(request: EvaluationRequest, highest: int, default_steps: int) -> EvaluationPlan:
    """The plan of a request for a model whose highest level and own number of steps are given.

    Raises:
        InputError: the model does not have a level.
    """
    for level in request.levels:
        check_level("levels", level, highest)
    rows = set(ROWS if request.rows is None else request.rows)
    if request.registered is None:
        rows.discard("registered")
    if {"no network", "elastic"} & rows:
        rows.add("recovered")
    return EvaluationPlan(
        levels=tuple(sorted(set(request.levels))),
        seeds=request.seeds,
        steps=request.steps or (default_steps,),
        rows=tuple(row for row in ROWS if row in rows),
        elastic_points=request.elastic_points or CONTROL_POINTS,
    )


def plan_digest(plan: EvaluationPlan, **more: Any) -> str:
    """SHA-256 of what must be the same for a run to resume."""
    text = plan.model_dump_json() + repr(sorted(more.items()))
    return hashlib.sha256(text.encode()).hexdigest()
