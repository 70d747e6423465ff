"""The random velocity of a seed, and how far a level follows it (paper 2.1).

``v = sigma * sum_k 2^k Upsample(eps_k)``, eps_k ~ N(0, 1) (eq. 6): the coarser a component, the
larger, so that differences grow with Chebyshev distance (eq. 7, 8). A level's displacement is
``u = exp(tau(level) v)`` on a field twice the image's side, whose centre is the image: vectors that
leave it go on accumulating (paper 3.3). The state grid is the control grid ``refine`` times finer.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.schedule import Schedule
from src_core.fields import enlarge, exponential

__all__ = [
    "crop",
    "draw",
    "generator",
    "multiscale_velocity",
    "random_ddf",
    "state_size",
    "state_velocity",
    "velocity_unit",
]


def generator(*seeds: int) -> torch.Generator:
    """A CPU generator of its own for a seed, or for a seed and its sub-seeds (slice, case...)."""
    state = np.random.SeedSequence([s % 2**63 for s in seeds]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def draw(schedule: Schedule, ndim: int, source: torch.Generator) -> tuple[Tensor, ...]:
    """The Gaussian draws of one velocity, finest first: (1, D, n, ..., n) each, unit variance."""
    return tuple(torch.randn(1, ndim, *[n] * ndim, generator=source) for n in schedule.components)


def multiscale_velocity(components: tuple[Tensor, ...], schedule: Schedule) -> Tensor:
    """Sum of the components on the control grid.

    Args:
        components: (B, D, n, ..., n) each, unit variance, as ``draw`` makes them.

    Returns:
        (B, D, control, ...), in voxels of the control grid.
    """
    ndim = components[0].shape[1]
    size, mode = [schedule.control] * ndim, {2: "bilinear", 3: "trilinear"}[ndim]
    fine = [
        functional.interpolate(eps, size=size, mode=mode, align_corners=False)
        * (schedule.control / eps.shape[-1])
        for eps in components
    ]
    return torch.stack(fine).sum(0) * (schedule.sigma * schedule.control)


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
