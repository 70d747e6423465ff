"""FSL's warps: mm from a corner along the voxel axes, along -x where det(affine) > 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid

__all__ = ["fsl_from_lps", "fsl_positions", "is_absolute", "lps_from_fsl"]


def fsl_from_lps(u: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Displacements (X, Y, Z, 3) in LPS mm as FSL counts them."""
    return grid.to_voxels(u) * _scale(grid)


def lps_from_fsl(u: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """The reverse of ``fsl_from_lps``."""
    return grid.to_lps_mm(u / _scale(grid))


def fsl_positions(voxels: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Voxels (..., 3) of a grid in FSL's mm."""
    scale = _scale(grid)
    here = voxels * scale
    if scale[0] < 0:
        here[..., 0] -= (grid.shape[0] - 1) * scale[0]
    return here


def is_absolute(u: NDArray[Any], grid: Grid) -> bool:
    """FSL's rule: an absolute warp varies less without the voxels' own coordinates."""
    here = fsl_positions(np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1), grid)
    axes = (0, 1, 2)
    return bool((u - here).std(axes).sum() < u.std(axes).sum())


def _scale(grid: Grid) -> NDArray[np.float64]:
    flip = -1.0 if np.linalg.det(grid.affine[:3, :3]) > 0 else 1.0
    return np.asarray(grid.spacing) * [flip, 1.0, 1.0]
