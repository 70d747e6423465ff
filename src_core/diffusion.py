"""Forward process of the diffeomorphic schedule (paper 2.1): ``u(level) = exp(tau(level) v)``.

v lives on a field twice the image's side, whose centre is the image: vectors that leave the image
go on accumulating (paper 3.3). Everything here is on the state grid, which is the control grid
``refine`` times finer; its centre half covers the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from src_core.fields import enlarge, exponential

if TYPE_CHECKING:
    from src_core.schedule import Schedule

__all__ = ["crop", "random_ddf", "state_size", "state_velocity", "velocity_unit"]


def state_size(schedule: Schedule) -> int:
    """Voxels a side of the state grid over the image."""
    return schedule.control * schedule.refine // 2


def velocity_unit(schedule: Schedule) -> float:
    """What networks predict velocities in: the standard deviation of v, control voxels (eq. 7).

    It is that of the sum at a control point of each component, interpolation left aside.
    """
    energy = sum((schedule.control / n) ** 2 for n in schedule.components)
    return float(schedule.sigma * schedule.control * energy**0.5)


def crop(field: Tensor) -> Tensor:
    """The centre half of an enlarged field, along each spatial axis: what lies over the image."""
    for axis in range(2, field.dim()):
        quarter = field.shape[axis] // 4
        field = field.narrow(axis, quarter, field.shape[axis] - 2 * quarter)
    return field


def state_velocity(control_velocity: Tensor, schedule: Schedule) -> Tensor:
    """The velocity on the enlarged state grid, in its voxels: linear enlargement, units follow."""
    return enlarge(control_velocity, schedule.refine) if schedule.refine > 1 else control_velocity


def random_ddf(velocity: Tensor, tau: Tensor, schedule: Schedule) -> Tensor:
    """``exp(tau v)`` over the image.

    Args:
        velocity: (B, D, *enlarged state grid), state voxels, as ``state_velocity`` gives it.
        tau: (B,), integration times.

    Returns:
        (B, D, *state grid), state voxels.
    """
    time = tau.to(velocity).view(-1, *[1] * (velocity.dim() - 1))
    return crop(exponential(velocity * time, schedule.squarings))
