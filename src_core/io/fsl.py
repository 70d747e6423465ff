"""FSL's relative warps: mm from a corner along the voxel axes, along -x where det(affine) > 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid

__all__ = ["fsl_from_lps", "lps_from_fsl", "relative"]


def fsl_from_lps(u: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Displacements (X, Y, Z, 3) in LPS mm as FSL counts them."""
    return grid.to_voxels(u) * _scale(grid)


def lps_from_fsl(u: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """The reverse of ``fsl_from_lps``."""
    return grid.to_lps_mm(u / _scale(grid))


def relative(u: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """A warp of FSL without the voxels' own coordinates: those vary more than any displacement."""
    scale = _scale(grid)
    here = np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1) * scale
    if scale[0] < 0:
        here[..., 0] -= (grid.shape[0] - 1) * scale[0]
    axes = (0, 1, 2)
    return u - here if (u - here).std(axes).sum() < u.std(axes).sum() else u


def _scale(grid: Grid) -> NDArray[np.float64]:
    flip = -1.0 if np.linalg.det(grid.affine[:3, :3]) > 0 else 1.0
    return np.asarray(grid.spacing) * [flip, 1.0, 1.0]
