"""Fields and volumes as they are sampled: slices along an axis as a batch, or one whole volume.

A field is (X, Y, Z, 3), LPS mm, float32: the numbers that are saved are the numbers that warp.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.tiles import assembled, tile_axis
from src_core.fields.kernels import vectors

__all__ = [
    "Field",
    "along_axis",
    "field_tensor",
    "from_planes",
    "in_plane_axis",
    "lps_field",
    "to_planes",
]

Field = NDArray[np.float32]

# Float32 in oblique millimetres leaves this much, in voxels, of a component that was zero.
_ROUNDING = 1e-3


def along_axis(axis: int, part: slice) -> tuple[slice, ...]:
    """Index of a part of (X, Y, Z, ...) along one axis."""
    return (*[slice(None)] * axis, part)


def in_plane_axis(field: Field, grid: Grid) -> int | None:
    """The slice axis if nothing moves along it (a slice-wise field), else None."""
    axis = grid.slice_axis
    if grid.shape[axis] == 1:
        return axis
    row = grid.to_voxels(np.eye(3))[:, axis]
    still = all(np.abs(layer @ row).max() < _ROUNDING for layer in field)
    return axis if still else None


def field_tensor(field: Field, grid: Grid, axis: int | None) -> Tensor:
    """A field in voxels, float64: (Z, 2, A, B), slices along ``axis`` first, or (1, 3, X, Y, Z)."""
    kept = [a for a in range(3) if a != axis]
    matrix = grid.to_voxels(np.eye(3)).T[kept]
    shape = field.shape[:3]
    whole = (1, 3, *shape) if axis is None else (shape[axis], 2, *(shape[a] for a in kept))
    planes = np.empty(whole)
    u = planes[0] if axis is None else np.moveaxis(np.moveaxis(planes, 1, 0), 1, axis + 1)
    if field.dtype == np.float32 and vectors.can_convert():
        vectors.voxels(field, matrix, u)
    else:
        u[:] = np.moveaxis(np.asarray(field, dtype=np.float64) @ matrix.T, -1, 0)
    return torch.from_numpy(planes)


def lps_field(u: Tensor, grid: Grid, axis: int | None) -> Field:
    """The reverse of ``field_tensor``; one slice (1, 2, A, B) serves all slices."""
    kept = [a for a in range(3) if a != axis]
    matrix = grid.to_lps_mm(np.eye(3))[kept]
    planes = u.double().cpu().numpy()
    whole = planes[0] if axis is None else np.moveaxis(np.moveaxis(planes, 1, 0), 1, axis + 1)
    if vectors.can_convert():
        field = np.empty((*whole.shape[1:], 3), np.float32)
        vectors.millimetres(whole, matrix, field)
        if axis is None or len(planes) > 1:
            return field
        return np.repeat(field, grid.shape[axis], axis)
    whole = np.broadcast_to(whole, (len(kept), *grid.shape))
    along = tile_axis(grid.shape, axis)

    def lps(part: slice) -> Field:
        some = np.moveaxis(whole[along_axis(along + 1, part)], 0, -1)
        return (some @ matrix).astype(np.float32)

    return assembled(grid.shape, along, lps)


def to_planes(volumes: Tensor, axis: int | None) -> Tensor:
    """(C, X, Y, Z) -> (Z, C, A, B), slices along ``axis`` first, or (1, C, X, Y, Z)."""
    return volumes[None] if axis is None else volumes.movedim(axis + 1, 0)


def from_planes(planes: Tensor, axis: int | None) -> Tensor:
    """The reverse of ``to_planes``, (C, X, Y, Z)."""
    return planes[0] if axis is None else planes.movedim(0, axis + 1)
