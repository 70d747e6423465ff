"""Loops of ``det(I + du/dx)`` at the voxels: central differences, one-sided at the borders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernels

__all__ = ["determinants_2d", "determinants_3d"]

_FLOATS = ("float32", "float64")


@kernels("void({t}[:, :, ::1], {o}[:, ::1], int64, int64)", *_FLOATS)
def determinants_2d(u: NDArray[Any], out: NDArray[Any], first: int, last: int) -> None:
    """Determinants of some rows of a field.

    Args:
        u: (2, X, Y), voxels, two voxels or more along each axis.
        out: (X, Y), written in its rows ``first`` to ``last``.
        first: row.
        last: row after the last.
    """
    nx, ny, one = u.shape[1], u.shape[2], u.dtype.type(1)
    for i in range(first, last):
        i0, i1 = np.uint64(max(i - 1, 0)), np.uint64(min(i + 1, nx - 1))
        along_x = one / u.dtype.type(i1 - i0)
        for j in range(ny):
            j0, j1 = np.uint64(max(j - 1, 0)), np.uint64(min(j + 1, ny - 1))
            along_y = one / u.dtype.type(j1 - j0)
            xx, yx = (u[0, i1, j] - u[0, i0, j]) * along_x, (u[1, i1, j] - u[1, i0, j]) * along_x
            xy, yy = (u[0, i, j1] - u[0, i, j0]) * along_y, (u[1, i, j1] - u[1, i, j0]) * along_y
            out[i, j] = (xx + one) * (yy + one) - yx * xy


@kernels("void({t}[:, :, :, ::1], {o}[:, :, ::1], int64, int64)", *_FLOATS)
def determinants_3d(u: NDArray[Any], out: NDArray[Any], first: int, last: int) -> None:
    """Like ``determinants_2d``, of (3, X, Y, Z)."""
    nx, ny, nz, one = u.shape[1], u.shape[2], u.shape[3], u.dtype.type(1)
    for i in range(first, last):
        i0, i1 = np.uint64(max(i - 1, 0)), np.uint64(min(i + 1, nx - 1))
        p = one / u.dtype.type(i1 - i0)
        for j in range(ny):
            j0, j1 = np.uint64(max(j - 1, 0)), np.uint64(min(j + 1, ny - 1))
            q = one / u.dtype.type(j1 - j0)
            for k in range(nz):
                k0, k1 = np.uint64(max(k - 1, 0)), np.uint64(min(k + 1, nz - 1))
                r = one / u.dtype.type(k1 - k0)
                a0 = (u[0, i1, j, k] - u[0, i0, j, k]) * p + one
                a1 = (u[1, i1, j, k] - u[1, i0, j, k]) * p
                a2 = (u[2, i1, j, k] - u[2, i0, j, k]) * p
                b0 = (u[0, i, j1, k] - u[0, i, j0, k]) * q
                b1 = (u[1, i, j1, k] - u[1, i, j0, k]) * q + one
                b2 = (u[2, i, j1, k] - u[2, i, j0, k]) * q
                c0 = (u[0, i, j, k1] - u[0, i, j, k0]) * r
                c1 = (u[1, i, j, k1] - u[1, i, j, k0]) * r
                c2 = (u[2, i, j, k1] - u[2, i, j, k0]) * r + one
                out[i, j, k] = (
                    a0 * (b1 * c2 - b2 * c1) + a1 * (b2 * c0 - b0 * c2) + a2 * (b0 * c1 - b1 * c0)
                )
