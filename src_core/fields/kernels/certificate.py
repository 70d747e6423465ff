"""Lower bounds of the determinant on cells by compiled loops."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from src_core.fields.kernels.cell_bounds import (
    centre_bounds_3d,
    coefficients_3d,
    corner_bounds_2d,
)
from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.threads import in_parts

__all__ = ["bounds", "can_bound"]

#: Cells that are worth a thread.
_LEAST = 1 << 15


def can_bound(ndim: int) -> bool:
    """Whether the loops for fields of this many axes can be called."""
    return ready(*((corner_bounds_2d,) if ndim == 2 else (centre_bounds_3d, coefficients_3d)))


def bounds(u: Tensor, floor: float) -> Tensor:
    """Lower bounds of the determinant of every cell, (*cells).

    In 3D the cells that could be smallest or lie below the floor have the bound by coefficients,
    the others a smaller one. Bounds do not depend on the number of threads.

    Args:
        u: (D, *spatial), float64, voxels.
        floor: determinants below it count as low.
    """
    field, found = u.numpy(), np.empty([n - 1 for n in u.shape[1:]])
    layers, least = len(found), max(1, _LEAST * len(found) // found.size)
    if found.ndim == 2:
        in_parts(lambda start, stop: corner_bounds_2d(field, start, stop, found), layers, least)
        return torch.from_numpy(found)
    doubtful = np.empty(layers)
    in_parts(
        lambda start, stop: centre_bounds_3d(field, start, stop, found, doubtful), layers, least
    )
    below = max(float(doubtful.min()), floor)
    in_parts(lambda start, stop: coefficients_3d(field, start, stop, below, found), layers, least)
    return torch.from_numpy(found)
