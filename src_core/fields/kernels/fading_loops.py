"""Loops of windows around regions: exact distances, and half a cosine that falls with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel

__all__ = ["FAR", "fade", "square_distances"]

_Whole = NDArray[np.int32]
_MAPS, _SQUARES = "float32[:, ::1]", "int32[:, ::1]"
#: The square of a distance from a region that does not exist.
FAR = 1 << 28
#: Divisors of the series of the cosine, to 4e-9 over half a turn.
_SERIES = tuple(math.pi**2 / (n * (n - 1)) for n in range(18, 0, -2))


@kernel(
    f"void({_MAPS}, float32[::1], UniTuple(int64, 3), int64[::1], int32[::1], {_SQUARES}, "
    "int64, int64)"
)
def square_distances(
    maps: NDArray[np.float32],
    least: NDArray[np.float32],
    shape: tuple[int, int, int],
    limits: NDArray[np.int64],
    copy: _Whole,
    out: _Whole,
    start: int,
    stop: int,
) -> None:
    """Squared distances from regions, voxels; ``FAR`` or more without a region.

    Args:
        maps: (K, n), flat.
        least: (K,), smallest value of a region's voxels.
        shape: of the grid, with one layer in 2D.
        limits: (K,), squares from which on values may be too large.
        copy: as many as a plane across the first or the second axis has voxels, working space.
        out: (K, n), written for the maps ``start`` to ``stop``.
        start: map.
        stop: map after the last.
    """
    depth, height, width = shape
    for k in range(start, stop):
        low = least[k]
        for line in range(0, depth * height * width, width):
            steps = 1 << 14
            for n in range(line, line + width):
                steps = 0 if maps[k, n] >= low else steps + 1
                out[k, n] = steps * steps
            steps = 1 << 14
            for n in range(line + width - 1, line - 1, -1):
                steps = 0 if maps[k, n] >= low else steps + 1
                if steps * steps < out[k, n]:
                    out[k, n] = steps * steps
        for z in range(depth):
            _lower(out, k, z * height * width, height, width, width, limits[k], copy)
        if depth > 1:
            for y in range(height):
                _lower(out, k, y * width, depth, height * width, width, limits[k], copy)


@helper
def _lower(
    lines: _Whole,
    k: int,
    first: int,
    count: int,
    stride: int,
    width: int,
    limit: int,
    copy: _Whole,
) -> None:
    """``min over m of lines[m] + (n - m)^2`` for each line n, in place.

    A clamped index names a line that a smaller step has compared before, at less.
    """
    for n in range(count):
        for c in range(width):
            copy[n * width + c] = lines[k, first + n * stride + c]
    for n in range(count):
        step, here, most = 1, np.uint64(first + n * stride), limit
        while step < count and step * step < most:
            low = np.uint64((n - step if n > step else 0) * width)
            high = np.uint64((n + step if n + step < count else count - 1) * width)
            more, largest = np.int32(step * step), np.int32(0)
            for c in range(width):
                at = np.uint64(c)
                near, far, old = copy[low + at], copy[high + at], lines[k, here + at]
                near = np.int32((near if near < far else far) + more)
                old = near if near < old else old
                lines[k, here + at] = old
                largest = old if old > largest else largest
            most = int(largest) if largest < limit else limit
            step += 1


@helper
def _window(square: Any, scale: float) -> float:
    """``(1 + cos(pi d / reach)) / 2`` for a squared distance and 1 / reach^2; 0 from the reach."""
    share = square * scale
    x, total = share if share < 1.0 else 1.0, 1.0
    for divisor in _SERIES:
        total = 1.0 - total * x * divisor
    return 0.5 + 0.5 * total if share < 1.0 else 0.0


@kernel(f"void({_SQUARES}, float64[::1], int64[:, ::1], float64, {_MAPS}, int64, int64)")
def fade(
    squares: _Whole,
    scales: NDArray[np.float64],
    yields: NDArray[np.int64],
    gap: float,
    out: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Windows that are 1 in a region and fall to 0 at its reach.

    Args:
        squares: (K, n), of distances.
        scales: (K,), 1 / reach^2.
        yields: (P, 2): the first region's window makes way for the second region.
        gap: as ``scales``, for where it no longer does.
        out: (K, n), written in its columns ``start`` to ``stop``.
        start: voxel.
        stop: voxel after the last.
    """
    for k in range(len(squares)):
        values, written, scale = squares[k, start:stop], out[k, start:stop], scales[k]
        for n in range(len(values)):
            written[n] = _window(values[n], scale)
    for p in range(len(yields)):
        values, written = squares[yields[p, 1], start:stop], out[yields[p, 0], start:stop]
        for n in range(len(values)):
            written[n] *= 1.0 - _window(values[n], gap)
