"""How much linear interpolation blurs an image, and a deformation of less than a voxel that does.

Between two voxels, at a fraction f, a value is ``(1 - f) a + f b``: white noise keeps the part
``(1 - f)^2 + f^2`` of its variance along that axis. Fractions of a large deformation are uniform,
which leaves 2/3 along each axis.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.bspline_field import CONTROL_POINTS, bspline
from src_core.experiments.statistics import Array

__all__ = ["noise_kept", "sub_voxel_displacement"]


def sub_voxel_displacement(shape: tuple[int, ...], source: torch.Generator) -> Tensor:
    """A smooth random displacement of at most half a voxel along each axis, all equally frequent.

    Args:
        shape: voxels along the D axes that are deformed.
        source: of the random numbers.

    Returns:
        (1, D, *shape), voxels, float64.
    """
    draws = torch.rand(
        len(shape), *[CONTROL_POINTS] * len(shape), generator=source, dtype=torch.float64
    )
    square = bspline((2 * draws - 1).numpy(), max(shape))
    inner = tuple(slice((max(shape) - n) // 2, (max(shape) - n) // 2 + n) for n in shape)
    return torch.from_numpy(np.stack([_ranks(one[inner]) for one in square]) - 0.5)[None]


def noise_kept(displacement: Array) -> float:
    """Mean part of white noise's variance that linear interpolation keeps; 1 where nothing moves.

    Args:
        displacement: (..., D), voxels.
    """
    part = displacement - np.floor(displacement)
    return float(((1 - part) ** 2 + part**2).prod(axis=-1).mean())


def _ranks(values: NDArray[np.float64]) -> Array:
    """Each value's place among all, 0 to 1: a smooth field stays smooth."""
    places = np.empty(values.size)
    places[np.argsort(values, axis=None, kind="stable")] = np.arange(values.size)
    return (places / max(values.size - 1, 1)).reshape(values.shape)
