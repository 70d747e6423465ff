"""Loops of slices pulled back by a displacement that may lie on a coarser grid, in float32.

The share of the way between two voxels is taken from the displacement alone, as in composition.
Each line is passed in short loops, as only so the processor finds several voxels at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel

__all__ = ["warp_planes"]

_Float = NDArray[np.float32]
_PLANES = "float32[:, :, ::1]"


@helper
def _between(n: int, factor: int, last: int) -> tuple[Any, Any, Any]:
    """Both coarse voxels beside a fine one, and its share of the way."""
    twice = max(2 * n + 1 - factor, 0)
    low = twice // (2 * factor)
    share = np.float32(twice % (2 * factor)) / np.float32(2 * factor)
    return np.uint32(low), np.uint32(min(low + 1, last)), share


@helper
def _place(
    p: _Float, first: int, step: int, n: int, fades: bool, cells: NDArray[np.int32], weights: _Float
) -> None:
    """Cells of positions ``first + step j + p[j]`` on an axis, 0 to n - 2, and both weights.

    Comparisons are such that no number (NaN) lies before the first voxel.
    """
    zero, one, nought, last = np.float32(0), np.float32(1), np.int32(0), np.int32(n - 2)
    low, high = weights[0], weights[1]
    for j in range(len(p)):
        i = np.int32(first + step * j)
        least, most, move = np.float32(-2) - np.float32(i), np.float32(n + 1) - np.float32(i), p[j]
        move = move if move > least else least
        move = move if move < most else most
        whole = np.floor(move)
        place = i + np.int32(whole)
        cell = place if place > nought else nought
        cell = cell if cell < last else last
        share = (move - whole) + np.float32(place - cell)
        if not fades:
            share = share if share > zero else zero
            share = share if share < one else one
        near, far = one - abs(share), one - abs(share - one)
        low[j], high[j] = near if near > zero else zero, far if far > zero else zero
        cells[j] = cell


@kernel(f"void({_PLANES}, {_PLANES}, int64, boolean, {_PLANES}, int64, int64)")
def warp_planes(
    images: _Float, u: _Float, factor: int, fades: bool, out: _Float, start: int, stop: int
) -> None:
    """Linear values of some rows.

    Args:
        images: (C, A, B), two voxels or more along each axis.
        u: (2, X, Y), voxels of its own grid.
        factor: how many times finer the output's grid is than that of u.
        fades: whether images fade to zero over a voxel beyond their borders; else these continue.
        out: (C, X * factor, Y * factor), written in its rows ``start`` to ``stop``.
        start: row.
        stop: row after the last.
    """
    columns, width, last = images.shape[2], out.shape[2], u.shape[2] - 1
    flat, size = images.reshape(len(images), images.shape[1] * columns), np.float32(factor)
    left, right = np.empty(width, np.uint32), np.empty(width, np.uint32)
    moves, shares = np.empty(width, u.dtype), np.empty(width, u.dtype)
    line = np.empty(last + 1, u.dtype)
    cells, weights = np.empty((2, width), np.int32), np.empty((2, 2, width), u.dtype)
    for j in range(width):
        left[j], right[j], shares[j] = _between(j, factor, last)
    up, on = np.uint64(columns), np.uint64(1)
    for i in range(start, stop):
        a, b, t = _between(i, factor, u.shape[1] - 1)
        for axis in range(2):
            low, high = u[axis, a], u[axis, b]
            for j in range(len(line)):
                line[j] = (low[j] + (high[j] - low[j]) * t) * size
            for j in range(width):
                near, far = line[left[j]], line[right[j]]
                moves[j] = near + (far - near) * shares[j]
            first, step = (0, 1) if axis else (i, 0)
            _place(moves, first, step, images.shape[1 + axis], fades, cells[axis], weights[axis])
        x0, x1, y0, y1 = weights[0, 0], weights[0, 1], weights[1, 0], weights[1, 1]
        for j in range(width):
            cells[0, j] = cells[0, j] * np.int32(columns) + cells[1, j]
        for c in range(len(images)):
            values, written, places = flat[c], out[c, i], cells[0]
            for j in range(width):
                k = np.uint64(places[j])
                near = values[k] * y0[j] + values[k + on] * y1[j]
                far = values[k + up] * y0[j] + values[k + up + on] * y1[j]
                written[j] = near * x0[j] + far * x1[j]
