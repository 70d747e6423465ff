"""Places in a case: LPS mm, voxels of its grid, voxels of its layer, and where tissue came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from src_core.cases.grid import RAS_TO_LPS

if TYPE_CHECKING:
    from napari_drdm.dragging.pulls import Place, Pull
    from src_core.cases.grid import Grid

__all__ = ["in_slice", "lps_of", "moved", "voxel_of", "within"]

#: Voxels.
_SAME = 1e-6


def lps_of(grid: Grid, voxel: ArrayLike) -> Place:
    """A place in voxels (X, Y, Z) -> LPS mm."""
    ras = grid.affine[:3, :3] @ np.asarray(voxel, np.float64) + grid.affine[:3, 3]
    x, y, z = (float(mm) for mm in RAS_TO_LPS * ras)
    return x, y, z


def voxel_of(grid: Grid, place: Place) -> NDArray[np.float64]:
    """The reverse of ``lps_of``: (3,), voxels along X, Y, Z."""
    ras = RAS_TO_LPS * np.asarray(place) - grid.affine[:3, 3]
    return np.asarray(np.linalg.solve(grid.affine[:3, :3], ras))


def within(grid: Grid, voxel: NDArray[np.float64]) -> bool:
    """Whether a place (X, Y, Z) is inside the image: in one of its voxels."""
    size = np.asarray(grid.shape)
    return bool((voxel >= -0.5).all() and (voxel <= size - 0.5).all())


def moved(grid: Grid, field: NDArray[Any], place: Place) -> Place:
    """Where a displacement (X, Y, Z, 3), LPS mm, takes a place; linear between voxels."""
    at = np.clip(voxel_of(grid, place), 0, np.asarray(grid.shape) - 1)[:, None]
    u = [float(map_coordinates(field[..., axis], at, order=1)[0]) for axis in range(3)]
    x, y, z = (mm + by for mm, by in zip(place, u, strict=True))
    return x, y, z


def in_slice(grid: Grid, pull: Pull) -> Pull:
    """A point whose end is in the slice that it was taken in."""
    end, axis = voxel_of(grid, pull.end), grid.slice_axis
    taken_in = voxel_of(grid, pull.seen)[axis]
    if abs(end[axis] - taken_in) <= _SAME:
        return pull
    end[axis] = taken_in
    return pull.to(lps_of(grid, end))
