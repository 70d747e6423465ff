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
    voxels = grid.to_voxels(field)
    if axis is None:
        return torch.from_numpy(np.moveaxis(voxels, -1, 0)[None].copy())
    planes = np.moveaxis(np.delete(voxels, axis, axis=-1), axis, 0)
    return torch.from_numpy(np.moveaxis(planes, -1, 1).copy())


def lps_field(u: Tensor, grid: Grid, axis: int | None) -> Field:
    """The reverse of ``field_tensor``; one slice (1, 2, A, B) serves all slices."""
    voxels = np.moveaxis(u.double().cpu().numpy(), 1, -1)
    if axis is not None:
        planes = np.broadcast_to(voxels, (grid.shape[axis], *voxels.shape[1:]))
    whole = voxels[0] if axis is None else np.moveaxis(planes, 0, axis)
    along = tile_axis(grid.shape, axis)

    def lps(part: slice) -> Field:
        some = whole[along_axis(along, part)]
        vectors = some if axis is None else np.insert(some, axis, 0.0, axis=-1)
        return grid.to_lps_mm(vectors).astype(np.float32)

    return assembled(grid.shape, along, lps)


def to_planes(volumes: Tensor, axis: int | None) -> Tensor:
    """(C, X, Y, Z) -> (Z, C, A, B), slices along ``axis`` first, or (1, C, X, Y, Z)."""
    return volumes[None] if axis is None else volumes.movedim(axis + 1, 0)


def from_planes(planes: Tensor, axis: int | None) -> Tensor:
    """The reverse of ``to_planes``, (C, X, Y, Z)."""
    return planes[0] if axis is None else planes.movedim(0, axis + 1)
