"""Loops of ``v(x) + u(x + v(x))`` with linear values of u, its border continued.

The share of the way between two voxels is taken from the displacement alone, which is exact in any
floating type: a displacement of 0 or of whole voxels gives stored values. The cells of a line are
found before its values, as only so the processor finds several at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels

__all__ = ["compose_2d", "compose_3d"]

_SIGNATURE = "void({t}[:, ::1], {t}[:, ::1], {t}[:, ::1], UniTuple(int64, %d), int64, int64)"


@helper
def _cell(p: Any, i: int, n: int) -> tuple[Any, Any]:
    """Cell of position i + p on an axis of n voxels, 0 to n - 2, and the share within it.

    Comparisons are such that no number (NaN) becomes the first voxel. Axes of 2^24 voxels or more
    have no exact whole numbers in float32.
    """
    zero, one = type(p)(0), type(p)(1)
    first, last = type(p)(-i), type(p)(n - 2 - i)
    whole = np.floor(p)
    whole = whole if whole > first else first
    whole = whole if whole < last else last
    share = p - whole
    share = share if share > zero else zero
    return i + np.int32(whole), share if share < one else one


@kernels(_SIGNATURE % 2, "float32", "float64")
def compose_2d(
    u: NDArray[Any],
    v: NDArray[Any],
    out: NDArray[Any],
    shape: tuple[int, int],
    first: int,
    last: int,
) -> None:
    """Compose some rows of fields.

    Args:
        u: (2, n), flat, voxels.
        v: (2, n), flat, voxels.
        out: (2, n), written in its rows ``first`` to ``last``.
        shape: of the grid, two voxels or more along each axis.
        first: row.
        last: row after the last.
    """
    nx, ny = shape
    one, up, on = u.dtype.type(1), np.uint64(ny), np.uint64(1)
    low, x, y = np.empty(ny, np.int64), np.empty(ny, u.dtype), np.empty(ny, u.dtype)
    for i in range(first, last):
        row = slice(i * ny, (i + 1) * ny)
        p, q = v[0, row], v[1, row]
        for j in range(ny):
            a, x[j] = _cell(p[j], i, nx)
            b, y[j] = _cell(q[j], j, ny)
            low[j] = a * ny + b
        for c in range(2):
            values, own, written = u[c], v[c, row], out[c, row]
            for j in range(ny):
                k, s, t = np.uint64(low[j]), x[j], y[j]
                s0, t0 = one - s, one - t
                near = values[k] * t0 + values[k + on] * t
                far = values[k + up] * t0 + values[k + up + on] * t
                written[j] = own[j] + (near * s0 + far * s)


@kernels(_SIGNATURE % 3, "float32", "float64")
def compose_3d(
    u: NDArray[Any],
    v: NDArray[Any],
    out: NDArray[Any],
    shape: tuple[int, int, int],
    first: int,
    last: int,
) -> None:
    """Like ``compose_2d``, of (3, n); a row is a plane of the grid."""
    nx, ny, nz = shape
    one, far, up, on = u.dtype.type(1), np.uint64(ny * nz), np.uint64(nz), np.uint64(1)
    low, x, y, z = (
        np.empty(nz, np.int64),
        np.empty(nz, u.dtype),
        np.empty(nz, u.dtype),
        np.empty(nz, u.dtype),
    )
    for line in range(first * ny, last * ny):
        i, j = line // ny, line % ny
        row = slice(line * nz, (line + 1) * nz)
        p, q, r = v[0, row], v[1, row], v[2, row]
        for k in range(nz):
            a, x[k] = _cell(p[k], i, nx)
            b, y[k] = _cell(q[k], j, ny)
            d, z[k] = _cell(r[k], k, nz)
            low[k] = (a * ny + b) * nz + d
        for c in range(3):
            values, own, written = u[c], v[c, row], out[c, row]
            for k in range(nz):
                m, s, t, w = np.uint64(low[k]), x[k], y[k], z[k]
                n = m + far
                s0, t0, w0 = one - s, one - t, one - w
                v00 = values[m] * w0 + values[m + on] * w
                v01 = values[m + up] * w0 + values[m + up + on] * w
                v10 = values[n] * w0 + values[n + on] * w
                v11 = values[n + up] * w0 + values[n + up + on] * w
                near, beyond = v00 * t0 + v01 * t, v10 * t0 + v11 * t
                written[k] = own[k] + (near * s0 + beyond * s)
