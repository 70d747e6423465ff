"""What a deformation is drawn for: an image of a training loop, and its grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.errors import ArgumentError

__all__ = ["Below", "Scan", "grid_for", "volumes"]

#: A whole number, 0 to n - 1, all equally likely: the caller's random numbers.
Below = Callable[[int], int]


@dataclass(frozen=True, eq=False)
class Scan:
    """An image in a training loop.

    Attributes:
        image: (X, Y, Z), as the network gets it.
        grid: where it lies.
        name: of the case, or its image's file; "" where it has none.
        labels: (X, Y, Z), whole numbers, for a model that keeps the variety of labelled organs.
    """

    image: NDArray[Any]
    grid: Grid
    name: str = ""
    labels: NDArray[Any] | None = None


def volumes(values: Tensor) -> Tensor:
    """Channels of a picture or a volume, (C, X, Y) or (C, X, Y, Z), as (C, X, Y, Z).

    Raises:
        ArgumentError: neither.
    """
    if values.dim() not in (3, 4):
        raise ArgumentError(
            f"an image must be (C, X, Y) or (C, X, Y, Z), got {tuple(values.shape)}"
        )
    return values[..., None] if values.dim() == 3 else values


def grid_for(shape: tuple[int, ...], affine: ArrayLike | None = None, spacing: Any = None) -> Grid:
    """The grid of a volume (X, Y, Z): by a voxel-to-RAS affine, of 2D or 3D, or by a spacing, mm.

    Raises:
        ArgumentError: both are given, or they are no geometry.
    """
    if affine is None:
        return Grid.from_spacing(shape, 1.0 if spacing is None else spacing)
    if spacing is not None:
        raise ArgumentError("a geometry is an 'affine' or a 'spacing', got both")
    x, y, z = shape
    values = np.ascontiguousarray(affine, dtype=np.float64)
    return _grid((x, y, z), values.shape, values.tobytes())


@lru_cache(maxsize=64)  # a training loop gives the same geometry with every image of a case
def _grid(shape: tuple[int, int, int], size: tuple[int, ...], affine: bytes) -> Grid:
    return Grid(shape, _whole(np.frombuffer(affine).reshape(size)))


def _whole(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    if affine.shape != (3, 3):
        return affine
    whole = np.eye(4)
    whole[np.ix_([0, 1, 3], [0, 1, 3])] = affine
    return whole
