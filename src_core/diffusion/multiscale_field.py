"""The paper's random velocity: Gaussian noise of several scales, ``diffeomorphic`` by name.

``v = sigma * sum_k 2^k Upsample(eps_k)``, eps_k ~ N(0, 1) (eq. 6): the coarser a component, the
larger, so that differences grow with Chebyshev distance (eq. 7, 8).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.random_field import Draws, RandomField

__all__ = ["MultiscaleField"]


@dataclass(frozen=True)
class MultiscaleField(RandomField):
    """Components of ``schedule.components`` points per side, finest first."""

    @property
    def unit(self) -> float:
        """Standard deviation of the sum at a control point, interpolation left aside (eq. 7)."""
        schedule = self.schedule
        energy = sum((schedule.control / n) ** 2 for n in schedule.components)
        return float(schedule.sigma * schedule.control * energy**0.5)

    @property
    def octaves(self) -> tuple[int, ...]:
        """Points per side of the components."""
        return self.schedule.components

    def draw(self, ndim: int, source: torch.Generator) -> Draws:
        """The Gaussian draws, finest first: (1, D, n, ..., n) each, unit variance."""
        return self.draw_batch(ndim, 1, source)

    def draw_batch(self, ndim: int, count: int, source: torch.Generator) -> Draws:
        """The draws of ``count`` velocities: (count, D, n, ..., n) each."""
        sizes, device = self.schedule.components, source.device
        return tuple(
            torch.randn(count, ndim, *[n] * ndim, generator=source, device=device) for n in sizes
        )

    def velocity(self, draws: Draws) -> Tensor:
        """Sum of the components on the control grid.

        Args:
            draws: (B, D, n, ..., n) each, unit variance.

        Returns:
            (B, D, *control), control voxels.
        """
        ndim, schedule = draws[0].shape[1], self.schedule
        size, mode = [schedule.control] * ndim, {2: "bilinear", 3: "trilinear"}[ndim]
        total: Tensor | None = None
        for eps in draws:
            part = eps * (schedule.control / eps.shape[-1])
            if eps.shape[-1] != schedule.control:
                part = functional.interpolate(part, size=size, mode=mode, align_corners=False)
            total = part if total is None else total + part
        assert total is not None
        return total * (schedule.sigma * schedule.control)
