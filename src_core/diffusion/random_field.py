"""What a random field is: random numbers, a velocity made of them, and its map at a level.

The map of a level is ``u = exp(tau(level) v)`` on a grid of twice the image's side, whose centre is
the image: paths that leave the image continue (paper, section 3.3). A displacement is never scaled
after integration. ``diffusion.kinds`` lists the fields by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from src_core.diffusion.grids import crop
from src_core.diffusion.schedule import Schedule
from src_core.fields import enlarge, exponential

__all__ = ["Draws", "RandomField", "generator", "level_ddf", "unit_velocities"]

#: The random numbers of one velocity, (B, ...) each: a value that can be saved and used again.
Draws = tuple[Tensor, ...]


@dataclass(frozen=True)
class RandomField(ABC):
    """A random field with the settings of a schedule.

    Most subclasses define only ``unit``, ``draw`` and ``velocity``.
    """

    schedule: Schedule

    @property
    @abstractmethod
    def unit(self) -> float:
        """The unit of a network's output: the standard deviation of v, control voxels."""

    @abstractmethod
    def draw(self, ndim: int, source: torch.Generator) -> Draws:
        """The random numbers of one velocity, B = 1, from ``source`` alone."""

    def draw_batch(self, ndim: int, count: int, source: torch.Generator) -> Draws:
        """The numbers of ``count`` velocities, on the generator's device. By default one by one."""
        each = [self.draw(ndim, source) for _ in range(count)]
        return tuple(torch.cat(numbers) for numbers in zip(*each, strict=True))

    @abstractmethod
    def velocity(self, draws: Draws) -> Tensor:
        """The velocity made from given draws: (B, D, *control), control voxels."""

    def variances(self, draws: Draws) -> Draws:
        """The variance of every number of ``draws``, which are independent and of mean zero.

        A search over draws measures distances in it. By default 1.
        """
        return tuple(torch.ones_like(numbers) for numbers in draws)

    @property
    def octaves(self) -> tuple[int, ...]:
        """Grid points per side at each scale of the noise, to measure by scale; by default none."""
        return ()

    def disturbed(self, velocity: Tensor, noise: Tensor) -> Tensor:
        """The velocity that deforms a training image (paper, section 3.3); all (B, D, *control)."""
        return velocity + noise

    def enlarged(self, velocity: Tensor) -> Tensor:
        """A velocity (B, D, *control) on the enlarged grid, in its voxels. By default linear."""
        refine = self.schedule.refine
        return enlarge(velocity, refine) if refine > 1 else velocity

    def ddf(self, velocity: Tensor, times: Tensor) -> Tensor:
        """The map over the image of a velocity that is followed for unit time.

        Args:
            velocity: (B, D, *enlarged), enlarged voxels: ``enlarged`` times the level's tau.
            times: (B,), these tau, for a field that integrates in steps of one unit of time.

        Returns:
            (B, D, *state), state voxels. By default by scaling and squaring.
        """
        return crop(exponential(velocity, self.schedule.squarings))


def generator(*seeds: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A separate generator for a seed, or for a seed and its sub-seeds (slice, case...)."""
    state = np.random.SeedSequence([s % 2**63 for s in seeds]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


def level_ddf(field: RandomField, velocity: Tensor, times: Tensor) -> Tensor:
    """``exp(time v)`` over the image.

    Args:
        velocity: (B, D, *control), control voxels.
        times: (B,), integration times.

    Returns:
        (B, D, *state), state voxels.
    """
    enlarged = field.enlarged(velocity)
    time = times.to(enlarged).view(-1, *[1] * (enlarged.dim() - 1))
    return field.ddf(enlarged * time, times)


def unit_velocities(field: RandomField, ndim: int, count: int, source: torch.Generator) -> Tensor:
    """Random velocities in units of their standard deviation: (count, D, *control)."""
    drawn = [field.velocity(field.draw(ndim, source)) for _ in range(count)]
    return torch.cat(drawn) / field.unit
