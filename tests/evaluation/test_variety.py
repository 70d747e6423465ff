"""Evaluation with a variety: its plan, and the model that it measures."""

from __future__ import annotations

import hashlib

from src_core.evaluation.plan import EvaluationPlan, plan_digest


def plan(variety: float | None = None) -> EvaluationPlan:
    return EvaluationPlan(
        levels=(30, 70), seeds=2, steps=(4,), rows=("recovered",), elastic_points=8, variety=variety
    )


def test_a_plan_without_variety_has_the_digest_that_it_had() -> None:
    text = '{"levels":[30,70],"seeds":2,"steps":[4],"rows":["recovered"],"elastic_points":8}'
    assert plan_digest(plan()) == hashlib.sha256((text + "[]").encode()).hexdigest()


def test_another_variety_is_another_plan() -> None:
    digests = {plan_digest(plan(variety)) for variety in (None, 0.0, 0.5, 1.0)}
    assert len(digests) == 4
    read = EvaluationPlan.model_validate_json(plan(0.5).model_dump_json())
    assert read == plan(0.5) and read.variety == 0.5
