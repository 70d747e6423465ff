"""Loops of ``s_c u_c(A x) + (P x)_c``: a field sampled at affine positions, its border continued.

The whole positions of the voxels enter, so that a part of a grid has the bits of the whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels

__all__ = ["affine_2d", "affine_3d"]

_FLOATS = ("float32", "float64")
_REST = "float64[:, ::1], float64[:, ::1], float64[::1]"
_AFFINE = {
    2: f"void({{t}}[:, :, ::1], {_REST}, UniTuple(int64, 2), {{t}}[:, :, ::1], int64, int64)",
    3: f"void({{t}}[:, :, :, ::1], {_REST}, UniTuple(int64, 3), {{t}}[:, :, :, ::1], int64, int64)",
}


@helper
def _corners(p: float, n: int) -> tuple[Any, Any, float]:
    """Both voxels beside a position on an axis of n voxels, and its share of the way."""
    p = min(p, n - 1.0) if p > 0.0 else 0.0
    a = max(min(int(p), n - 2), 0)
    return np.uint32(a), np.uint32(min(a + 1, n - 1)), p - a  # no index counts from the end


@helper
def _cell(p: float, n: int) -> tuple[Any, float]:
    """As ``_corners``: the first voxel, whose neighbour is the next one, and the share."""
    top, last = n - 1.0, np.int32(max(n - 2, 0))
    p = p if p > 0.0 else 0.0
    p = p if p < top else top
    a = np.int32(p)
    a = a if a < last else last
    return a, p - a


@kernels(_AFFINE[2], *_FLOATS)
def affine_2d(
    u: NDArray[Any],
    at: NDArray[np.float64],
    added: NDArray[np.float64],
    scale: NDArray[np.float64],
    first: tuple[int, int],
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Sample some rows.

    Args:
        u: (2, A, B).
        at: (2, 3), A: from voxels of the output to voxels of u.
        added: (2, 3), P: added to the values.
        scale: (2,), s: of the values.
        first: position of the output's first voxel.
        out: (2, X, Y), written in its rows ``start`` to ``stop``.
        start: row.
        stop: row after the last.
    """
    rows, columns, width = u.shape[1], u.shape[2], out.shape[2]
    flat, cells = u.reshape(2, rows * columns), np.empty(width, np.int32)
    s, t = np.empty(width), np.empty(width)
    up, on = np.uint64(columns if rows > 1 else 0), np.uint64(1 if columns > 1 else 0)
    sizes, ends = (scale[0], scale[1]), (added[0, 2], added[1, 2])
    for i in range(start, stop):  # cells before values, so that several are found at once
        x = float(first[0] + i)
        for j in range(width):
            y = float(first[1] + j)
            a, s[j] = _cell(at[0, 0] * x + at[0, 1] * y + at[0, 2], rows)
            b, t[j] = _cell(at[1, 0] * x + at[1, 1] * y + at[1, 2], columns)
            cells[j] = a * np.int32(columns) + b
        more, less, some, few = added[0, 0] * x, added[1, 0] * x, added[0, 1], added[1, 1]
        for j in range(width):
            k, y, share, rest = np.uint64(cells[j]), float(first[1] + j), s[j], t[j]
            near, here = 1.0 - rest, 1.0 - share
            low = flat[0, k] * near + flat[0, k + on] * rest
            high = flat[0, k + up] * near + flat[0, k + up + on] * rest
            out[0, i, j] = (low * here + high * share) * sizes[0] + (more + some * y + ends[0])
            low = flat[1, k] * near + flat[1, k + on] * rest
            high = flat[1, k + up] * near + flat[1, k + up + on] * rest
            out[1, i, j] = (low * here + high * share) * sizes[1] + (less + few * y + ends[1])


@kernels(_AFFINE[3], *_FLOATS)
def affine_3d(
    u: NDArray[Any],
    at: NDArray[np.float64],
    added: NDArray[np.float64],
    scale: NDArray[np.float64],
    first: tuple[int, int, int],
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Like ``affine_2d``, of (3, A, B, C), matrices (3, 4)."""
    for i in range(start, stop):
        x = float(first[0] + i)
        for j in range(out.shape[2]):
            y = float(first[1] + j)
            for k in range(out.shape[3]):
                z = float(first[2] + k)
                p = at[0, 0] * x + at[0, 1] * y + at[0, 2] * z + at[0, 3]
                q = at[1, 0] * x + at[1, 1] * y + at[1, 2] * z + at[1, 3]
                r = at[2, 0] * x + at[2, 1] * y + at[2, 2] * z + at[2, 3]
                a, a1, s = _corners(p, u.shape[1])
                b, b1, t = _corners(q, u.shape[2])
                d, d1, w = _corners(r, u.shape[3])
                for c in range(3):
                    v00 = u[c, a, b, d] * (1.0 - w) + u[c, a, b, d1] * w
                    v01 = u[c, a, b1, d] * (1.0 - w) + u[c, a, b1, d1] * w
                    v10 = u[c, a1, b, d] * (1.0 - w) + u[c, a1, b, d1] * w
                    v11 = u[c, a1, b1, d] * (1.0 - w) + u[c, a1, b1, d1] * w
                    low, high = v00 * (1.0 - t) + v01 * t, v10 * (1.0 - t) + v11 * t
                    more = added[c, 0] * x + added[c, 1] * y + added[c, 2] * z + added[c, 3]
                    out[c, i, j, k] = (low * (1.0 - s) + high * s) * scale[c] + more
