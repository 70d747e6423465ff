"""Moments of maps, and sums of affine fields that act in windows: ``sum_k w_k(x) (A_k x + b_k)``.

Positions are voxels from the middle of the grid.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.moments import can_sum, summed_affine, summed_moments
from src_core.fields.sampling import identity

__all__ = [
    "affine_sum",
    "affine_sum_by_torch",
    "centred_points",
    "moments",
    "moments_by_torch",
]


def moments(maps: Tensor, products: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums over the grid of products of three maps, times 1, x, y, ..., times the same.

    Args:
        maps: (R, *n), float32.
        products: (P, 3), numbers of maps.

    Returns:
        (P, 1 + D, 1 + D).
    """
    by_loops = can_sum(maps)
    return summed_moments(maps, products) if by_loops else moments_by_torch(maps, products)


def moments_by_torch(maps: Tensor, products: NDArray[np.int64]) -> NDArray[np.float64]:
    """What ``moments`` gives, by PyTorch."""
    points = centred_points(maps.shape[1:])
    squares = (points[:, None] * points).flatten(0, 1)
    found = maps.flatten(1).double()[torch.from_numpy(products)].prod(1) @ squares.T
    return found.view(-1, len(points), len(points)).numpy()


def affine_sum(windows: Tensor, numbers: NDArray[np.float64]) -> Tensor:
    """The sum of affine fields, each times its window.

    Args:
        windows: (K, *n), float32.
        numbers: (C, K, 1 + D): of each component in each window, its value at the middle of the
            grid and its derivatives.

    Returns:
        (C, *n), float32.
    """
    by_loops = can_sum(windows)
    return summed_affine(windows, numbers) if by_loops else affine_sum_by_torch(windows, numbers)


def affine_sum_by_torch(windows: Tensor, numbers: NDArray[np.float64]) -> Tensor:
    """What ``affine_sum`` gives, by PyTorch."""
    points = centred_points(windows.shape[1:])
    basis = (windows.flatten(1).double()[:, None] * points).flatten(0, 1)
    found = torch.from_numpy(numbers).flatten(1) @ basis
    return found.float().view(-1, *windows.shape[1:])


@lru_cache(maxsize=4)
def centred_points(shape: torch.Size) -> Tensor:
    """1 and the position of each voxel of a grid from its middle: (1 + D, n), float64."""
    at = identity(shape, torch.zeros(1, dtype=torch.float64))[0].flatten(1)
    middle = torch.tensor([(n - 1) / 2 for n in shape], dtype=torch.float64)
    return torch.cat([torch.ones_like(at[:1]), at - middle[:, None]])
