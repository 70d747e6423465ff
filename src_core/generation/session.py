"""A case laid into a model's grid once, for many levels and seeds: its views, draws and steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from src_core.cases.case import Case
from src_core.diffusion.flow import Flow
from src_core.diffusion.random_field import draw, generator, multiscale_velocity, state_velocity
from src_core.fields.planes import Field
from src_core.generation.model_view import Frame, make_frame
from src_core.generation.options import Options
from src_core.generation.recovery import RecoveryStep, recovery_steps
from src_core.generation.region import Box
from src_core.models.device import fixed_threads
from src_core.models.model import Model, ModelSpec

__all__ = ["Session", "Step", "start_flow", "threaded"]

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


class Session:
    """What does not change while level, seed and steps do.

    Args:
        case: to deform.
        model: to recover with.
        slices: with a 2D model, one deformation for all slices ("shared"), or one "each".
        region: what is deformed, voxels along X, Y, Z; None for all.

    Raises:
        InputError: case and model do not fit.
    """

    def __init__(
        self, case: Case, model: Model, slices: str = "shared", region: Box | None = None
    ) -> None:
        self.case, self.model = case, model
        self.frame = make_frame(case, model.spec, slices, region)
        self._views: dict[int, Tensor] = {}

    def jumps(self, options: Options) -> int:
        """Recovery steps that options ask for."""
        return min(options.steps or self.model.spec.recovery.steps, options.level)

    def start(self, options: Options, unit: int = 0) -> Flow:
        """The random flow of one unit."""
        seeds = (options.seed,) if self.frame.shared else (options.seed, unit)
        with fixed_threads():
            flow = start_flow(self.model, *seeds, level=options.level)
            fades = self.frame.fades(flow.random.shape[-1], flow.state)
        return flow if fades is None else replace(flow, random=flow.random * fades[0])

    def steps(self, options: Options) -> Iterator[Step]:
        """The recovery of every unit, one after the other; nothing at level 0."""
        units = self.frame.units if options.level else 0
        for unit in range(units):
            start, views = self.start(options, unit), self.views(unit)
            fades = self.frame.fades(start.random.shape[-1], start.state)
            steps = recovery_steps(
                self.model,
                views,
                start,
                options.level,
                self.jumps(options),
                None if fades is None else fades[1],
            )
            for at in threaded(steps):
                total = at.total + 1
                index = unit * total + at.index
                yield Step(index, units * total, at.level, unit, at, self.frame)

    def views(self, unit: int) -> Tensor:
        """What the network sees of one unit: (V, 1, *size) in 0..1."""
        if unit not in self._views:
            with fixed_threads():
                self._views[unit] = self.frame.views(unit)
        return self._views[unit]


def start_flow(model: Model, *seeds: int, level: int) -> Flow:
    """The random flow of a seed at a level, on the enlarged grid."""
    spec = model.spec
    velocity = _velocity(spec, *seeds)
    time = spec.schedule.tau(level)
    return Flow(velocity * time, (), spec.state, spec.schedule.squarings)


def threaded(values: Iterator[_T]) -> Iterator[_T]:
    """Each value computed on the fixed number of threads, which the consumer never sees."""
    while True:
        with fixed_threads():
            try:
                value = next(values)
            except StopIteration:
                return
        yield value


def _velocity(spec: ModelSpec, *seeds: int) -> Tensor:
    schedule = spec.schedule
    components = draw(schedule, spec.ndim, generator(*seeds))
    return state_velocity(multiscale_velocity(components, schedule), schedule)
