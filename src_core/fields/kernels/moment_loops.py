"""Loops of moments of maps, and of sums of affine fields in windows; positions from the middle.

Sums run down the lines, column by column, so that the processor adds several columns at once and
the order of a sum is one whatever the number of threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernel

__all__ = ["AT_ONCE", "TERMS", "affine_sums", "moments"]

_Wide = NDArray[np.float64]
_MAPS, _TRIPLE = "float32[:, ::1]", "UniTuple(int64, 3)"
#: Columns whose sums are kept at once.
AT_ONCE = 128
#: Pairs of 1, x, y and z whose products are summed.
TERMS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3), (3, 3))


@kernel(f"void({_MAPS}, int64[:, ::1], {_TRIPLE}, float64[::1], float64[:, ::1], int64, int64)")
def moments(
    maps: NDArray[np.float32],
    products: NDArray[np.int64],
    shape: tuple[int, int, int],
    room: _Wide,
    out: _Wide,
    start: int,
    stop: int,
) -> None:
    """Sums of products of three maps times ``TERMS``.

    Args:
        maps: (R, n), flat.
        products: (P, 3), numbers of maps.
        shape: of the grid, with one layer in 2D.
        room: (6 ``AT_ONCE``), working space.
        out: (P, 10), written in its rows ``start`` to ``stop``.
        start: product.
        stop: product after the last.
    """
    height, width = shape[1], shape[2]
    middle = (shape[0] - 1) / 2, (height - 1) / 2, (width - 1) / 2
    for p in range(start, stop):
        a, b, c = np.uint64(products[p, 0]), np.uint64(products[p, 1]), np.uint64(products[p, 2])
        for term in range(10):
            out[p, term] = 0.0
        for begin in range(0, width, AT_ONCE):
            count = width - begin if width - begin < AT_ONCE else AT_ONCE
            for k in range(6 * AT_ONCE):
                room[k] = 0.0
            for line in range(shape[0] * height):
                x, y = line // height - middle[0], line % height - middle[1]
                first = np.uint64(line * width + begin)
                for k in range(count):
                    n = first + np.uint64(k)
                    one = np.float64(maps[a, n]) * maps[b, n] * maps[c, n]
                    along, across = one * x, one * y
                    room[k] += one
                    room[k + AT_ONCE] += along
                    room[k + 2 * AT_ONCE] += across
                    room[k + 3 * AT_ONCE] += along * x
                    room[k + 4 * AT_ONCE] += along * y
                    room[k + 5 * AT_ONCE] += across * y
            for k in range(count):
                z = begin + k - middle[2]
                for term in range(6):
                    out[p, term] += room[k + term * AT_ONCE]
                for term in range(3):
                    out[p, 6 + term] += room[k + term * AT_ONCE] * z
                out[p, 9] += room[k] * z * z


@kernel(f"void({_MAPS}, float64[:, :, ::1], {_TRIPLE}, float64[::1], {_MAPS}, int64, int64)")
def affine_sums(
    windows: NDArray[np.float32],
    numbers: _Wide,
    shape: tuple[int, int, int],
    room: _Wide,
    out: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Sums of affine fields, each in its window.

    Args:
        windows: (K, n), flat.
        numbers: (C, K, 4), of each component in each window: at the middle, and its slopes.
        shape: of the grid, with one layer in 2D.
        room: as many as a line has voxels, working space.
        out: (C, n), written in its lines ``start`` to ``stop``.
        start: line.
        stop: line after the last.
    """
    height, width = shape[1], shape[2]
    middle = (shape[0] - 1) / 2, (height - 1) / 2, (width - 1) / 2
    for line in range(start, stop):
        x, y = line // height - middle[0], line % height - middle[1]
        first = np.uint64(line * width)
        for c in range(out.shape[0]):
            for k in range(width):
                room[k] = 0.0
            for w in range(windows.shape[0]):
                here = numbers[c, w, 0] + numbers[c, w, 1] * x + numbers[c, w, 2] * y
                slope = numbers[c, w, 3]
                for k in range(width):
                    value = here + slope * (k - middle[2])
                    room[k] += windows[w, first + np.uint64(k)] * value
            for k in range(width):
                out[c, first + np.uint64(k)] = room[k]
