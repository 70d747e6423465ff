"""Loops of ``v(x) + u(x + v(x))`` with linear values of u, its border continued.

The share of the way between two voxels is taken from the displacement alone, which is exact in any
floating type: a displacement of 0 or of whole voxels gives stored values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels

__all__ = ["compose_2d", "compose_3d"]

_FARTHEST = 1e9
_FLOATS = ("float32", "float64")
_COMPOSE_2D = "void({t}[:, :, ::1], {t}[:, :, ::1], {t}[:, :, ::1], int64, int64)"
_COMPOSE_3D = "void({t}[:, :, :, ::1], {t}[:, :, :, ::1], {t}[:, :, :, ::1], int64, int64)"


@helper
def _cell(p: Any, i: int, n: int) -> tuple[int, Any]:
    """Cell of position i + p on an axis of n voxels, 0 to n - 2, and the share within it."""
    whole = np.floor(p)
    share = p - whole
    whole = whole if whole > -_FARTHEST else type(p)(-_FARTHEST)  # no number (NaN), too
    a = i + int(whole if whole < _FARTHEST else type(p)(_FARTHEST))
    if a < 0:
        return 0, type(p)(0)
    if a > n - 2:
        return n - 2, type(p)(1)
    return a, share


@kernels(_COMPOSE_2D, *_FLOATS)
def compose_2d(u: NDArray[Any], v: NDArray[Any], out: NDArray[Any], first: int, last: int) -> None:
    """Compose some rows of fields.

    Args:
        u: (2, X, Y), voxels, two voxels or more along each axis.
        v: (2, X, Y), voxels.
        out: (2, X, Y), written in its rows ``first`` to ``last``.
        first: row.
        last: row after the last.
    """
    one = u.dtype.type(1)
    for i in range(first, last):
        for j in range(u.shape[2]):
            a, s = _cell(v[0, i, j], i, u.shape[1])
            b, t = _cell(v[1, i, j], j, u.shape[2])
            a, b, a1, b1 = np.uint32(a), np.uint32(b), np.uint32(a + 1), np.uint32(b + 1)
            s0, t0 = one - s, one - t
            for c in range(2):
                low = u[c, a, b] * t0 + u[c, a, b1] * t
                high = u[c, a1, b] * t0 + u[c, a1, b1] * t
                out[c, i, j] = v[c, i, j] + (low * s0 + high * s)


@kernels(_COMPOSE_3D, *_FLOATS)
def compose_3d(u: NDArray[Any], v: NDArray[Any], out: NDArray[Any], first: int, last: int) -> None:
    """Like ``compose_2d``, of (3, X, Y, Z)."""
    one = u.dtype.type(1)
    for i in range(first, last):
        for j in range(u.shape[2]):
            for k in range(u.shape[3]):
                a, s = _cell(v[0, i, j, k], i, u.shape[1])
                b, t = _cell(v[1, i, j, k], j, u.shape[2])
                d, r = _cell(v[2, i, j, k], k, u.shape[3])
                a, b, d = np.uint32(a), np.uint32(b), np.uint32(d)
                a1, b1, d1 = np.uint32(a + 1), np.uint32(b + 1), np.uint32(d + 1)
                s0, t0, r0 = one - s, one - t, one - r
                for c in range(3):
                    v00 = u[c, a, b, d] * r0 + u[c, a, b, d1] * r
                    v01 = u[c, a, b1, d] * r0 + u[c, a, b1, d1] * r
                    v10 = u[c, a1, b, d] * r0 + u[c, a1, b, d1] * r
                    v11 = u[c, a1, b1, d] * r0 + u[c, a1, b1, d1] * r
                    low, high = v00 * t0 + v01 * t, v10 * t0 + v11 * t
                    out[c, i, j, k] = v[c, i, j, k] + (low * s0 + high * s)
