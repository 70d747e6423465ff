"""Loops of linear values at a lattice: one position for each plane of each axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernels

__all__ = ["lattice"]

_AXIS = "int64[::1], int64[::1], float64[::1]"


@kernels(
    "void({t}[:, :, :, ::1], " + _AXIS + ", " + _AXIS + ", " + _AXIS + ", {o}[:, :, :, ::1], "
    "int64, int64)",
    "float32",
    "float64",
)
def lattice(
    values: NDArray[Any],
    x0: NDArray[Any],
    x1: NDArray[Any],
    x: NDArray[Any],
    y0: NDArray[Any],
    y1: NDArray[Any],
    y: NDArray[Any],
    z0: NDArray[Any],
    z1: NDArray[Any],
    z: NDArray[Any],
    out: NDArray[Any],
    first: int,
    last: int,
) -> None:
    """Values at some rows of a lattice, between two voxels along each axis.

    Args:
        values: (C, X, Y, Z).
        x0: the lower voxel of each plane of the lattice, along X, Y and Z (y0, z0).
        x1: the upper voxel.
        x: the share of the way between them, 0 to 1.
        y0: as along X.
        y1: as along X.
        y: as along X.
        z0: as along X.
        z1: as along X.
        z: as along X.
        out: (C, len(x), len(y), len(z)), written in its rows ``first`` to ``last``.
        first: row.
        last: row after the last.
    """
    line = np.empty(values.shape[3])
    for c in range(values.shape[0]):
        for i in range(first, last):
            s, s0 = x[i], 1.0 - x[i]
            for j in range(y.size):
                t, t0 = y[j], 1.0 - y[j]
                a, b = values[c, x0[i], y0[j]], values[c, x0[i], y1[j]]
                d, e = values[c, x1[i], y0[j]], values[c, x1[i], y1[j]]
                for k in range(line.size):
                    line[k] = (a[k] * t0 + b[k] * t) * s0 + (d[k] * t0 + e[k] * t) * s
                for k in range(z.size):
                    out[c, i, j, k] = line[z0[k]] * (1.0 - z[k]) + line[z1[k]] * z[k]
