"""A displacement field and a pose as one map: ``new(x) = source(phi(P(x)))``, sampled once.

A pose is an affine map of space, (4, 4), LPS mm, from a voxel of the new image to where the
deformed image is read. Its inverse with the field's is closed: ``P^-1(psi(y))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.tiles import assembled, parts, tile_axis
from src_core.fields.affine import sample_affine
from src_core.fields.planes import Field, along_axis, field_tensor, lps_field
from src_core.fields.sampling import positions, sample
from src_core.fields.saved import SavedField

__all__ = ["PoseMatrix", "between_voxels", "posed", "posed_on", "posed_planes", "unposed"]

#: (4, 4), LPS mm -> LPS mm.
PoseMatrix = NDArray[np.float64]

# Slices this alike, in voxels, move alike.
_ALIKE = 1e-9


def posed(saved: SavedField, pose: PoseMatrix) -> Field:
    """The field of ``phi o P``, (X, Y, Z, 3), LPS mm: ``P(x) + u(P(x)) - x``.

    Beyond its grid, u continues with its border.
    """
    grid, axis = saved.grid, saved.axis
    inner = between_voxels(grid, pose, grid)
    along = tile_axis(grid.shape, axis)
    if saved.shared:
        one = saved.read(0, saved.shape[saved.along])
        ranges = [range(n) for n in grid.shape]
        return lps_field(posed_planes(one, inner, axis, ranges), grid, axis)
    u = None if along == axis else field_tensor(saved.field, grid, axis)

    def vectors(part: slice) -> Field:
        ranges = [range(n)[part] if a == along else range(n) for a, n in enumerate(grid.shape)]
        own = u if u is not None else field_tensor(saved.field[along_axis(along, part)], grid, axis)
        x, y, z = map(len, ranges)
        moved = posed_planes(own, inner, axis, ranges)
        return lps_field(moved, Grid((x, y, z), grid.affine), axis)

    return assembled(grid.shape, along, vectors)


def unposed(inverse: Field, grid: Grid, pose: PoseMatrix) -> Field:
    """The field of ``P^-1 o psi`` for the field of psi, (X, Y, Z, 3), LPS mm, on its grid."""
    back, moved = np.linalg.inv(pose), np.empty_like(inverse)
    along = tile_axis(grid.shape, None)
    for part in parts(grid.shape, along):
        here = along_axis(along, part)
        y = _through(_lps(grid), _voxels(grid, along, part))
        moved[here] = _through(back, y + inverse[here]) - y
    return moved


def posed_on(field: Field, source: Grid, pose: PoseMatrix, target: Grid) -> Field:
    """As ``posed``, at the voxels of another grid than the field's.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``source``.

    Returns:
        (X', Y', Z', 3), LPS mm, on ``target``.
    """
    u = torch.from_numpy(np.moveaxis(field, -1, 0)[None].astype(np.float64))
    inner, moved = between_voxels(source, pose, target), np.empty((*target.shape, 3), np.float32)
    along = tile_axis(target.shape, None)
    for part in parts(target.shape, along):
        voxels = _voxels(target, along, part)
        at = torch.from_numpy(_through(inner, voxels)).movedim(-1, 0)[None]
        x = _through(_lps(target), voxels)
        moved[along_axis(along, part)] = (
            _through(pose, x) + sample(u, at)[0].movedim(0, -1).numpy() - x
        )
    return moved


def between_voxels(source: Grid, pose: PoseMatrix, target: Grid) -> PoseMatrix:
    """A pose from voxels of ``target`` to voxels of ``source``, (4, 4)."""
    there = np.linalg.inv(_lps(source)) @ pose @ _lps(target)
    return np.asarray(there, dtype=np.float64)


def posed_planes(u: Tensor, inner: PoseMatrix, axis: int | None, ranges: Sequence[range]) -> Tensor:
    """``P(x) + u(P(x)) - x`` in voxels.

    Args:
        u: (1 or Z, 2, A, B), voxels of the slices along ``axis``, or (1, 3, X, Y, Z).
        inner: the pose, in voxels of u's grid; in the plane of the slices for a slice-wise u.
        axis: the slice axis, None in 3D.
        ranges: voxels along X, Y and Z to compute; slices are those that u holds, or all share it.

    Returns:
        As u, of those voxels.
    """
    kept = [a for a in range(3) if a != axis]
    part, at = [ranges[a] for a in kept], inner[np.ix_(kept, [*kept, 3])]
    if axis is None or not _sheared(inner, axis, ranges[axis].stop):
        return _mapped_field(u, at, part)
    slices = ranges[axis]
    planes = u.expand(len(slices), *u.shape[1:]).split(1)
    across = np.zeros_like(at)
    across[:, -1] = inner[kept, axis]
    pairs = zip(planes, slices, strict=True)
    return torch.cat([_mapped_field(plane, at + n * across, part) for plane, n in pairs])


def _mapped_field(u: Tensor, at: NDArray[np.float64], part: Sequence[range]) -> Tensor:
    """``A x + u(A x) - x`` at the voxels of a part: (B, D, *part)."""
    return sample_affine(u, at, part, added=at - np.eye(*at.shape))


def _lps(grid: Grid) -> PoseMatrix:
    """From voxels to LPS mm, (4, 4)."""
    return np.asarray(np.append(RAS_TO_LPS, 1)[:, None] * grid.affine, dtype=np.float64)


def _through(matrix: NDArray[Any], points: NDArray[Any]) -> NDArray[np.float64]:
    """Points (..., 3) through an affine map (4, 4)."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3], dtype=np.float64)


def _voxels(grid: Grid, along: int, part: slice) -> NDArray[np.float64]:
    """Positions of a part of a grid's voxels along an axis, (X, Y, Z, 3)."""
    ranges = [range(n)[part] if a == along else range(n) for a, n in enumerate(grid.shape)]
    found = positions(ranges, torch.zeros(1, dtype=torch.float64))[0].movedim(0, -1)
    return np.asarray(found.numpy())


def _sheared(inner: PoseMatrix, axis: int, slices: int) -> bool:
    """Whether a pose moves slices unlike each other, as it does where their stack is sheared."""
    across = np.delete(inner[:3, axis], axis)
    return bool(np.abs(across).max() * slices > _ALIKE)
