"""One new case (Algorithm 2): random field, recovery, guard, and the original warped once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from src_core.case import Case
from src_core.deform import Field, lps_field, warp_case
from src_core.device import fixed_threads
from src_core.diffusion import state_velocity
from src_core.errors import InputError
from src_core.fields import invert, jacobian_determinant
from src_core.flow import Flow
from src_core.generation.frame import Frame, make_frame
from src_core.generation.metrics import measure
from src_core.generation.options import Options, make_options
from src_core.generation.proof import prove, weak_points
from src_core.guard import Guarded, guard
from src_core.model import Model
from src_core.noise import draw, generator, multiscale_velocity
from src_core.recipe import make_recipe
from src_core.recovery import RecoveryStep, recovery_steps

__all__ = ["Result", "Step", "generate", "iterate", "recover", "start_flow"]

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Step:
    """Progress of a generation: step ``index`` of ``total``; ``recovery`` is the run's state."""

    index: int
    total: int
    level: int
    unit: int
    recovery: RecoveryStep
    frame: Frame

    def displacement(self) -> Field:
        """The field at this step on the case's grid, LPS mm (shared deformations only)."""
        return self.frame.field(self.recovery.displacement)


@dataclass(frozen=True, eq=False)
class Result:
    """A generated case.

    Attributes:
        source: the case it was made from.
        case: warped images and labels, as stored as the source's.
        displacement: (X, Y, Z, 3), float32, LPS mm: new(x) = source(x + displacement(x)).
        inverse: the same for the inverse map.
        jacobian: (X, Y, Z), float32, determinant by central differences.
        metrics: the numbers of ``metrics.json``.
        recipe: what makes the same result again.
    """

    source: Case
    case: Case
    displacement: Field
    inverse: Field
    jacobian: np.ndarray
    metrics: dict[str, Any]
    recipe: dict[str, Any]


def generate(case: Case, model: Model, **options: Any) -> Result:
    """One new case; options are those of ``Options``.

    Raises:
        InputError: an option is out of range, or case and model do not fit.
    """
    *_, last = iterate(case, model, make_options(model.spec.schedule.levels, **options))
    assert isinstance(last, Result)
    return last


def recover(case: Case, model: Model, **options: Any) -> Iterator[Step]:
    """The steps of a generation, without its result."""
    chosen = make_options(model.spec.schedule.levels, **options)
    return (s for s in iterate(case, model, chosen) if isinstance(s, Step))


def iterate(case: Case, model: Model, options: Options) -> Iterator[Step | Result]:
    """Steps as they come, then the result; stop taking values to cancel."""
    started = time.perf_counter()
    make_options(model.spec.schedule.levels, **options.model_dump())
    steps = options.steps or model.spec.recovery.steps
    steps = min(steps, options.level)
    frame = make_frame(case, model.spec, options.slices)
    if options.interpolation == "cubic" and frame.axis is None:
        raise InputError(
            "cubic exists for 2D models only", where="--interpolation", expected="linear"
        )
    guarded = []
    for unit in range(frame.units) if options.level else ():
        last: RecoveryStep | None = None
        for last in _one_unit(frame, model, options, unit, steps):
            total = frame.units * (last.total + 1)
            yield Step(unit * (last.total + 1) + last.index, total, last.level, unit, last, frame)
        if last is not None:
            with fixed_threads():
                guarded.append(_guarded(frame, model, last, options))
    with fixed_threads():
        result = _finish(frame, model, options, guarded, steps)
    yield replace(result, metrics={**result.metrics, "seconds": time.perf_counter() - started})


def start_flow(model: Model, *seeds: int, level: int) -> Flow:
    """The random flow of a seed at a level, on the enlarged grid."""
    schedule, spec = model.spec.schedule, model.spec
    components = draw(schedule, spec.ndim, generator(*seeds))
    velocity = state_velocity(multiscale_velocity(components, schedule), schedule)
    return Flow(velocity * schedule.tau(level), (), spec.state, schedule.squarings)


def _one_unit(
    frame: Frame, model: Model, options: Options, unit: int, steps: int
) -> Iterator[RecoveryStep]:
    seeds = (options.seed,) if frame.shared else (options.seed, unit)
    with fixed_threads():
        views = frame.views(unit)
        start = start_flow(model, *seeds, level=options.level)
    yield from _threaded(recovery_steps(model, views, start, options.level, steps))


def _threaded(values: Iterator[_T]) -> Iterator[_T]:
    """Each value computed on the fixed number of threads, which the consumer never sees."""
    while True:
        with fixed_threads():
            try:
                value = next(values)
            except StopIteration:
                return
        yield value


@torch.inference_mode()
def _guarded(frame: Frame, model: Model, last: RecoveryStep, options: Options) -> Guarded:
    if options.allow_folds:
        return Guarded(last.flow, last.displacement, 1.0)
    return guard(last.flow, lambda u: weak_points(frame, u))


@torch.inference_mode()
def _finish(
    frame: Frame, model: Model, options: Options, guarded: list[Guarded], steps: int
) -> Result:
    case = frame.case
    if not guarded:
        u = torch.zeros(1, len(frame.fit.shape), *frame.fit.shape, dtype=torch.float64)
        field = lps_field(u, case.grid, frame.axis)
        warped = case
    else:
        field = frame.field(torch.cat([g.displacement for g in guarded]))
        warped = warp_case(
            case, field, interpolation=options.interpolation, labels=options.label_interpolation
        )
    saved = frame.distinct(field)
    backward = invert(saved)
    scale = float(np.mean([g.scale for g in guarded])) if guarded else 1.0
    metrics = measure(frame, field, saved, prove(saved), backward, warped, scale)
    determinant = _determinant(frame, saved)
    inverse = lps_field(backward.displacement, case.grid, frame.axis)
    facts = {
        "level": options.level,
        "seed": options.seed,
        "steps": steps,
        "model": model.spec.name,
        "device": str(model.device),
    }
    outputs = {"displacement": field, "inverse": inverse, "jacobian": determinant}
    recipe = make_recipe(case, warped, model, options, steps, outputs)
    return Result(case, warped, field, inverse, determinant, {**metrics, **facts}, recipe)


def _determinant(frame: Frame, saved: Tensor) -> np.ndarray:
    values = jacobian_determinant(saved).float().numpy()
    if frame.axis is None:
        return np.ascontiguousarray(values[0])
    grid = frame.case.grid
    whole = np.broadcast_to(values, (grid.shape[frame.axis], *values.shape[1:]))
    return np.ascontiguousarray(np.moveaxis(whole, 0, frame.axis))
