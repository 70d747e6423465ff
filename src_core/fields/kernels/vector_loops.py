"""Loops over vectors: other coordinates, and lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernels

__all__ = ["longest_and_total", "magnitudes", "transform"]


@kernels(
    "void({t}[:, :, :, :], float64[:, ::1], {o}[:, :, :, :], int64, int64)",
    float32="float64",
    float64="float32",
)
def transform(
    vectors: NDArray[Any], matrix: NDArray[Any], out: NDArray[Any], first: int, last: int
) -> None:
    """``matrix @ vector`` in float64 for some rows of a grid.

    Args:
        vectors: (D, X, Y, Z).
        matrix: (C, D), D = 2 or 3.
        out: (C, X, Y, Z), written in its rows ``first`` to ``last``.
        first: row.
        last: row after the last.
    """
    for i in range(first, last):
        for j in range(out.shape[2]):
            for k in range(out.shape[3]):
                u, v = np.float64(vectors[0, i, j, k]), np.float64(vectors[1, i, j, k])
                if matrix.shape[1] == 3:
                    w = np.float64(vectors[2, i, j, k])
                    for c in range(out.shape[0]):
                        out[c, i, j, k] = u * matrix[c, 0] + v * matrix[c, 1] + w * matrix[c, 2]
                else:
                    for c in range(out.shape[0]):
                        out[c, i, j, k] = u * matrix[c, 0] + v * matrix[c, 1]


@kernels("void({t}[:, ::1], float64[::1], {o}[::1], int64, int64)", "float32", "float64")
def magnitudes(
    vectors: NDArray[Any], scale: NDArray[Any], out: NDArray[Any], first: int, last: int
) -> None:
    """Lengths of some vectors.

    Args:
        vectors: (D, n).
        scale: (D,), what each component is multiplied by first.
        out: (n,), written from ``first`` to ``last``.
        first: vector.
        last: vector after the last.
    """
    for n in range(first, last):
        total = 0.0
        for axis in range(scale.size):
            one = vectors[axis, n] * scale[axis]
            total += one * one
        out[n] = np.sqrt(total)


@kernels("void({t}[:, ::1], int64, float64[:, ::1], int64, int64)", "float32", "float64")
def longest_and_total(
    vectors: NDArray[Any], size: int, out: NDArray[Any], first: int, last: int
) -> None:
    """The largest length, and the sum of lengths, of some blocks of vectors.

    Args:
        vectors: (n, 3).
        size: vectors of a block.
        out: (blocks, 2), written in its rows ``first`` to ``last``.
        first: block.
        last: block after the last.
    """
    for block in range(first, last):
        longest, total = 0.0, 0.0
        for n in range(block * size, min((block + 1) * size, vectors.shape[0])):
            u, v, w = (
                np.float64(vectors[n, 0]),
                np.float64(vectors[n, 1]),
                np.float64(vectors[n, 2]),
            )
            length = np.sqrt(u * u + v * v + w * w)
            longest, total = max(longest, length), total + length
        out[block, 0], out[block, 1] = longest, total
