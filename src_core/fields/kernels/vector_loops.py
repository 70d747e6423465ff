"""Loops over displacement vectors: millimetres to voxels and back, lengths, regular enlargement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernel, kernels

__all__ = ["enlarge_lines", "from_voxels", "magnitudes", "to_voxels", "total_lengths"]


#: Vectors that are read alone may lie in a file that is mapped into memory, read-only.
_VECTORS = "Array(float32, 4, 'A', True)"


@kernel(f"void({_VECTORS}, float64[:, ::1], float64[:, :, :, :], int64, int64)")
def to_voxels(
    field: NDArray[np.float32],
    matrix: NDArray[np.float64],
    u: NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    """Vectors in mm as components in voxels.

    Args:
        field: (X, Y, Z, 3).
        matrix: (D, 3), voxels from mm, the components that are kept.
        u: (D, X, Y, Z), written.
        start, stop: layers.
    """
    for i in range(start, stop):
        for j in range(field.shape[1]):
            for c in range(u.shape[0]):
                a, b, d = matrix[c, 0], matrix[c, 1], matrix[c, 2]
                for k in range(field.shape[2]):
                    x, y, z = field[i, j, k, 0], field[i, j, k, 1], field[i, j, k, 2]
                    u[c, i, j, k] = a * x + b * y + d * z


@kernel("void(Array(float64, 4, 'A', True), float64[:, ::1], float32[:, :, :, ::1], int64, int64)")
def from_voxels(
    u: NDArray[np.float64],
    matrix: NDArray[np.float64],
    field: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Components in voxels as vectors in mm.

    Args:
        u: (D, X, Y, Z).
        matrix: (D, 3), by component: its vector in mm per voxel.
        field: (X, Y, Z, 3), written.
        start, stop: layers.
    """
    for i in range(start, stop):
        for j in range(field.shape[1]):
            for k in range(field.shape[2]):
                x, y, z = 0.0, 0.0, 0.0
                for c in range(u.shape[0]):
                    value = u[c, i, j, k]
                    x += value * matrix[c, 0]
                    y += value * matrix[c, 1]
                    z += value * matrix[c, 2]
                field[i, j, k, 0], field[i, j, k, 1], field[i, j, k, 2] = x, y, z


@kernel(f"void({_VECTORS}, float64[::1], float64[::1], int64, int64)")
def total_lengths(
    field: NDArray[np.float32],
    longest: NDArray[np.float64],
    total: NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    """The largest squared length and the sum of lengths of each layer of vectors.

    Args:
        field: (X, Y, Z, 3).
        longest, total: (X,), written.
        start, stop: layers.
    """
    for i in range(start, stop):
        most, whole = 0.0, 0.0
        for j in range(field.shape[1]):
            for k in range(field.shape[2]):
                x, y = np.float64(field[i, j, k, 0]), np.float64(field[i, j, k, 1])
                z = np.float64(field[i, j, k, 2])
                square = x * x + y * y + z * z
                most = max(most, square)
                whole += np.sqrt(square)
        longest[i], total[i] = most, whole


@kernels(
    "void({t}[:, :, :, ::1], UniTuple(int64[::1], 3), UniTuple({t}[::1], 3), "
    "{t}[::1], {t}[:, :, :, ::1], int64, int64)",
    "float32",
    "float64",
)
def enlarge_lines(
    values: NDArray[Any],
    lows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    shares: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    line: NDArray[Any],
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Linear values on a grid whose positions are given axis by axis.

    Args:
        values: (C, X, Y, Z).
        lows: of each position along each axis, the voxel below it.
        shares: of each position along each axis, how far beyond that voxel it lies.
        line: (Z,), written: room for one line of values.
        out: (C, A, B, C), written.
        start, stop: layers.
    """
    (low_a, low_b, low_c), (share_a, share_b, share_c) = lows, shares
    last_a, last_b, last_c = values.shape[1] - 1, values.shape[2] - 1, values.shape[3] - 1
    for c in range(out.shape[0]):
        for i in range(start, stop):
            a, aa, s = low_a[i], min(low_a[i] + 1, last_a), share_a[i]
            for j in range(out.shape[2]):
                b, bb, t = low_b[j], min(low_b[j] + 1, last_b), share_b[j]
                for k in range(last_c + 1):
                    near = values[c, a, b, k] + t * (values[c, a, bb, k] - values[c, a, b, k])
                    far = values[c, aa, b, k] + t * (values[c, aa, bb, k] - values[c, aa, b, k])
                    line[k] = near + s * (far - near)
                for k in range(out.shape[3]):
                    d, r = low_c[k], share_c[k]
                    out[c, i, j, k] = line[d] + r * (line[min(d + 1, last_c)] - line[d])


@kernels("void({t}[:, ::1], float64[::1], {o}[::1], int64, int64)", "float32", "float64")
def magnitudes(
    vectors: NDArray[Any], scale: NDArray[np.float64], out: NDArray[Any], start: int, stop: int
) -> None:
    """Lengths of some vectors.

    Args:
        vectors: (D, n).
        scale: (D,), what each component is multiplied by first.
        out: (n,), written.
        start, stop: vectors.
    """
    for n in range(start, stop):
        total = 0.0
        for axis in range(scale.size):
            one = vectors[axis, n] * scale[axis]
            total += one * one
        out[n] = np.sqrt(total)
