"""Multi-scale random DVF (paper eq. 6): ``v = sigma * sum_k 2^k Upsample(eps_k)``, eps_k ~ N(0, 1).

The coarser a component, the larger, so that differences grow with Chebyshev distance (eq. 7, 8).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.schedule import Schedule

__all__ = ["draw", "generator", "multiscale_velocity"]


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
