"""What a network is asked for: a velocity, or the displacement of a DVF.

A ``velocity-unet`` gives the velocity in units of its standard deviation, on the control grid over
the image. An ``acnn``, the paper's network, gives the displacement that undoes the DVF of ``n_dvf``
compositions, in voxels of the model's grid; its target is that DVF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.grids import crop
from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import level_ddf
from src_core.fields import enlarge

if TYPE_CHECKING:
    from src_core.training.config import TrainConfig

__all__ = ["as_prediction", "targets"]


def targets(config: TrainConfig, clean: Tensor, levels: Tensor) -> Tensor:
    """What to learn from undisturbed velocities.

    Args:
        clean: (B, D, *control), control voxels.
        levels: (B,); the DVF of level 0 is 0.
    """
    schedule = config.schedule
    if config.network.kind != "acnn":
        return crop(clean) / random_field(schedule).unit
    u = level_ddf(random_field(schedule), clean, _times(config, levels))
    return enlarge(u, config.size // u.shape[-1])


def as_prediction(config: TrainConfig, recovery: Tensor, levels: Tensor) -> Tensor:
    """What the network would have to say to take a recovery's step.

    Args:
        recovery: (B, D, *grid over the image), its voxels per unit of tau, as ``Model.predict``.
        levels: (B,).
    """
    if config.network.kind != "acnn":
        factor = recovery.shape[-1] // (config.schedule.control // 2)
        return -_shrink(recovery, factor) / random_field(config.schedule).unit
    factor = config.size // recovery.shape[-1]
    whole = enlarge(recovery, factor) if factor > 1 else recovery
    # To first order: n_dvf compositions move a few pixels, and hardly bend the way.
    return whole * _times(config, levels).to(whole).view(-1, *[1] * (whole.dim() - 1))


def _times(config: TrainConfig, levels: Tensor) -> Tensor:
    return torch.tensor([float(config.schedule.n_dvf(int(level))) for level in levels])


def _shrink(u: Tensor, factor: int) -> Tensor:
    """The inverse of ``enlarge``: means over blocks, in the coarser grid's voxels."""
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[u.shape[1]]
    return pool(u, factor) / factor if factor > 1 else u
