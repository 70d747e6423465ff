"""Large grids a part at a time, so that memory holds one part in float64 and not the whole.

A grid of ordinary size is one part: what is computed on it has the same bits as without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

__all__ = ["LARGE", "PART", "parts", "tile_axis"]

#: Voxels above which a grid is taken in parts, and of about how many each.
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


def parts(shape: Sequence[int], axis: int) -> Iterator[slice]:
    """Ranges of voxels along an axis, in order: one for a grid that is not large."""
    n, voxels = shape[axis], math.prod(shape)
    step = n if voxels <= LARGE else max(1, PART * n // voxels)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
