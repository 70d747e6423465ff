"""Loops of slices pulled back by a displacement that may lie on a coarser grid, in float32.

The share of the way between two voxels is taken from the displacement alone, as in composition.
Each line is passed in short loops, as only so the processor finds several voxels at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel

__all__ = ["warp_planes"]

_Float = NDArray[np.float32]
_PLANES, _LINES = "float32[:, :, ::1]", "float32[:, ::1]"


@helper
def _place(
    room: _Float, moves: int, cells: NDArray[np.int32], axis: int, i: int, n: int, fades: bool
) -> None:
    """Cells of positions ``i + room[moves, j]`` on an axis, 0 to n - 2, and both weights.

    Along the second axis it is ``j + room[moves, j]``. Weights are written to the next two rows.
    Comparisons are such that no number (NaN) lies before the first voxel.
    """
    zero, one, nought, last = np.float32(0), np.float32(1), np.int32(0), np.int32(n - 2)
    for j in range(cells.shape[1]):
        at = np.int32(j) if axis else np.int32(i)
        least, most = np.float32(-2) - np.float32(at), np.float32(n + 1) - np.float32(at)
        move = room[moves, j]
        move = move if move > least else least
        move = move if move < most else most
        whole = np.floor(move)
        place = np.int32(at + np.int32(whole))
        cell = place if place > nought else nought
        cell = cell if cell < last else last
        share = (move - whole) + np.float32(np.int32(place - cell))
        if not fades:
            share = share if share > zero else zero
            share = share if share < one else one
        near, far = one - abs(share), one - abs(share - one)
        room[moves + 1, j] = near if near > zero else zero
        room[moves + 2, j] = far if far > zero else zero
        cells[axis, j] = cell


@kernel(
    f"void({_LINES}, int64, {_PLANES}, uint32[:, ::1], {_LINES}, boolean, {_LINES}, "
    f"int32[:, ::1], {_PLANES}, int64, int64)"
)
def warp_planes(
    images: _Float,
    columns: int,
    u: _Float,
    beside: NDArray[np.uint32],
    shares: _Float,
    fades: bool,
    room: _Float,
    cells: NDArray[np.int32],
    out: _Float,
    start: int,
    stop: int,
) -> None:
    """Linear values of some rows.

    Args:
        images: (C, A B), flat, two voxels or more along each axis.
        columns: B.
        u: (2, X, Y), voxels of its own grid.
        beside: (4, n): rows of u on both sides of each row of the output, then columns.
        shares: (2, n): of the way between these, for rows and for columns.
        fades: whether images fade to zero over a voxel beyond their borders; else these continue.
        room: (7, Y * factor), working space.
        cells: (2, Y * factor), working space.
        out: (C, X * factor, Y * factor), written in its rows ``start`` to ``stop``.
        start: row.
        stop: row after the last.
    """
    width, size = out.shape[2], np.float32(out.shape[1] // u.shape[1])
    rows, up, on = images.shape[1] // columns, np.uint64(columns), np.uint64(1)
    for i in range(start, stop):
        a, b, t = beside[0, i], beside[1, i], shares[0, i]
        for axis in range(2):
            for j in range(u.shape[2]):
                low = u[axis, a, j]
                room[6, j] = (low + (u[axis, b, j] - low) * t) * size
            for j in range(width):
                near = room[6, beside[2, j]]
                room[3 * axis, j] = near + (room[6, beside[3, j]] - near) * shares[1, j]
            _place(room, 3 * axis, cells, axis, i, columns if axis else rows, fades)
        for j in range(width):
            cells[0, j] = np.int32(cells[0, j] * np.int32(columns) + cells[1, j])
        for c in range(images.shape[0]):
            for j in range(width):
                k = np.uint64(cells[0, j])
                near = images[c, k] * room[4, j] + images[c, k + on] * room[5, j]
                far = images[c, k + up] * room[4, j] + images[c, k + up + on] * room[5, j]
                out[c, i, j] = near * room[1, j] + far * room[2, j]
