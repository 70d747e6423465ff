"""Random velocities by seed, and flows of hand-made velocities."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from src_core.diffusion.grids import crop
from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import generator
from src_core.diffusion.schedule import Schedule
from src_core.fields import exponential

__all__ = ["control_velocity", "enlarged_velocity", "squared"]


def squared(squarings: int) -> Callable[[Tensor], Tensor]:
    """The map over the image by so many squarings."""
    return lambda velocity: crop(exponential(velocity, squarings))


def control_velocity(schedule: Schedule, ndim: int, *seeds: int) -> Tensor:
    """(1, D, *control), control voxels."""
    field = random_field(schedule)
    return field.velocity(field.draw(ndim, generator(*seeds)))


def enlarged_velocity(schedule: Schedule, ndim: int, *seeds: int) -> Tensor:
    """(1, D, *enlarged), enlarged voxels."""
    return random_field(schedule).enlarged(control_velocity(schedule, ndim, *seeds))
