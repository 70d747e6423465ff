"""Large grids a part at a time, so that memory holds one part in float64 and not the whole.

A grid of ordinary size is one part: what is computed on it has the same bits as without.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGE", "PART", "assembled", "parts", "tile_axis"]

#: Voxels above which a grid is taken in parts, and voxels of a part, about.
LARGE = 1 << 23
PART = 1 << 21


def tile_axis(shape: Sequence[int], slices: int | None) -> int:
    """The axis along which a grid is cut: that of the slices where they move apart, else the last.

    Args:
        shape: (X, Y, Z).
        slices: axis along which nothing moves, or None.
    """
    if slices is not None and shape[slices] > 1:
        return slices
    return max(range(3), key=lambda axis: (shape[axis] > 1, axis))


def parts(shape: Sequence[int], axis: int, times: int = 1) -> Iterator[slice]:
    """Ranges of voxels along an axis, in order: one for a grid that is not large.

    ``times`` makes them larger by that factor, for work that needs much around a part.
    """
    n, voxels = shape[axis], math.prod(shape)
    step = n if voxels <= LARGE else max(1, times * PART * n // voxels)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def assembled(
    shape: Sequence[int],
    axis: int,
    make: Callable[[slice], NDArray[np.float32]],
    times: int = 1,
) -> NDArray[np.float32]:
    """Vectors on a grid, (X, Y, Z, 3), put together from ``make`` of each part along an axis."""
    first, *others = parts(shape, axis, times)
    if not others:
        return make(first)
    whole = np.empty((*shape, 3), np.float32)
    for part in (first, *others):
        whole[(slice(None),) * axis + (part,)] = make(part)
    return whole
