"""The rows of an evaluation: for a case, level and seed, each field that is compared."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from src_core.diffusion.bspline_field import elastic_ddf
from src_core.diffusion.flow import Flow
from src_core.diffusion.random_field import generator
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.baseline import equal_mean_flow
from src_core.evaluation.cases import EvaluatedCase
from src_core.evaluation.organ_slope import organ_figures
from src_core.evaluation.plan import RELEASE_SEEDS, EvaluationPlan
from src_core.evaluation.probes import recovered, residual, sensitivity
from src_core.evaluation.registered.bank import RegisteredBank
from src_core.evaluation.segmenter import Segmenter
from src_core.fields import magnitude
from src_core.generation.session import start_flow
from src_core.models.model import Model

__all__ = ["ELASTIC_STREAM", "Comparison", "RowField", "row_fields"]

#: Sub-seed of the elastic row's draws.
ELASTIC_STREAM = 3


@dataclass(frozen=True, eq=False)
class Comparison:
    """The model and all else that every case of an evaluation is measured with.

    Attributes:
        segmenter: trained on real cases, or None.
        release: the published model, or None.
        registered: fields between real subjects, or None.
    """

    model: Model
    plan: EvaluationPlan
    anatomy: Anatomy
    segmenter: Segmenter | None = None
    release: Model | None = None
    registered: RegisteredBank | None = None


@dataclass(frozen=True, eq=False)
class RowField:
    """The field of a row, for one case, level and seed.

    Attributes:
        u: (1, D, *state), state voxels.
        flow: of the same field, for the guard; None where there is none, or no guard.
        figures: measured while it was made.
    """

    row: str
    steps: int
    u: Tensor
    flow: Flow | None = None
    figures: dict[str, float] = field(default_factory=dict)


def row_fields(
    comparison: Comparison, case: EvaluatedCase, level: int, seed: int
) -> Iterator[RowField]:
    """The field of each row of the plan."""
    model, plan = comparison.model, comparison.plan
    start = start_flow(model, seed, case.code, level=level)
    if "random" in plan.rows:
        yield RowField("random", 0, start.displacement(), start)
    mean = 0.0
    if "recovered" in plan.rows:
        for made in _recovered(model, case, start, level, seed, plan.steps):
            mean = mean or float(magnitude(made.u).mean())
            yield made
    if "no network" in plan.rows:
        lower = equal_mean_flow(start, mean)
        yield RowField("no network", 0, lower.displacement(), lower)
    if "elastic" in plan.rows:
        source, points = generator(seed, case.code, ELASTIC_STREAM), plan.elastic_points
        u = elastic_ddf(start.state, model.spec.ndim, mean, source, points)
        yield RowField("elastic", 0, u)
    if "release" in plan.rows and comparison.release is not None and seed <= RELEASE_SEEDS:
        yield _release(comparison.release, case, level, seed)
    if "registered" in plan.rows and comparison.registered is not None:
        between = comparison.registered.field(case, seed)
        if between is not None:
            yield RowField("registered", 0, between)


def _recovered(
    model: Model, case: EvaluatedCase, start: Flow, level: int, seed: int, counts: Sequence[int]
) -> Iterator[RowField]:
    for steps in counts:
        started = time.perf_counter()
        last = recovered(model, case, start, level, steps)
        figures = {"seconds": time.perf_counter() - started}
        u = last.displacement
        figures["residual"] = residual(model, case, u, level)
        if seed == 1:
            figures |= sensitivity(model, case, start, u, level, steps)
        if steps == counts[0]:
            figures |= organ_figures(model, case, start, level)
        yield RowField("recovered", steps, u, last.flow, figures)


def _release(release: Model, case: EvaluatedCase, level: int, seed: int) -> RowField:
    """The published model with its own number of steps, from the same random velocity.

    The guard, which would take half a minute for each field, is left out.
    """
    start = start_flow(release, seed, case.code, level=level)
    started = time.perf_counter()
    last = recovered(release, case, start, level, release.spec.recovery.steps)
    seconds = time.perf_counter() - started
    return RowField("release", 0, last.displacement, figures={"seconds": seconds})
