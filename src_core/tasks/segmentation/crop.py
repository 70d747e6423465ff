"""The segmenter's pixels: a square about one point of every slice, the same for all cases.

The point lies where the labels of the training cases lie on average, in mm from the image's centre;
axes are turned by the header to the patient's left, then back or feet. No label of the case itself
is used. Positions are (1, 2, ...) mm from the point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.fields.sampling import identity

__all__ = ["CropGrid", "PlaneAxes", "label_centre", "pixel_positions", "plane_axes"]


@dataclass(frozen=True)
class CropGrid:
    """Pixels of the segmenter, and the larger canvas that a pose may sample.

    Attributes:
        size: pixels per side of what the network sees; ``spacing`` their side in mm.
        centre: of both, mm from the image's centre along the turned axes.
    """

    size: int
    spacing: float
    centre: tuple[float, float] = (0.0, 0.0)

    @property
    def canvas(self) -> int:
        """Pixels per side of the canvas: a third of the size more at each border."""
        return self.size + 2 * round(self.size / 3)

    @property
    def field_side(self) -> int:
        """Control points per side of a deformation: one for two pixels."""
        return self.size // 2

    @property
    def inner(self) -> slice:
        """The crop along either axis of the canvas."""
        rim = (self.canvas - self.size) // 2
        return slice(rim, rim + self.size)


@dataclass(frozen=True, eq=False)
class PlaneAxes:
    """How slices lie under the crop.

    Attributes:
        shape, spacing: voxels, and their size in mm, along the two axes of a slice.
        turn: (2, 2), a signed permutation: turned axes by a slice's axes.
    """

    shape: tuple[int, int]
    spacing: tuple[float, float]
    turn: NDArray[np.float64]

    def voxels(self, positions: Tensor, centre: tuple[float, float]) -> Tensor:
        """Positions (1, 2, ...) mm from a point -> voxels of a slice."""
        at = positions + self._column(centre, positions)
        along = torch.einsum("ji,bj...->bi...", self._turn(at), at)
        middle = [(n - 1) / 2 for n in self.shape]
        return along / self._column(self.spacing, at) + self._column(middle, at)

    def turned(self, mm: Tensor) -> Tensor:
        """Vectors (1, 2, ...) in mm along the axes of a slice -> along the turned axes."""
        return torch.einsum("ij,bj...->bi...", self._turn(mm), mm)

    def _turn(self, like: Tensor) -> Tensor:
        return torch.as_tensor(self.turn, dtype=like.dtype)

    def _column(self, numbers: Iterable[float], like: Tensor) -> Tensor:
        values = torch.tensor(tuple(numbers), dtype=like.dtype)
        return values.view(1, 2, *[1] * (like.dim() - 2))


def plane_axes(grid: Grid) -> PlaneAxes:
    """Axes of a case's slices, turned to the patient's left, and to the back or the feet."""
    first, second = (a for a in range(3) if a != grid.slice_axis)
    directions = RAS_TO_LPS[:, None] * grid.direction[:, [first, second]]
    to_left = int(abs(directions[0, 1]) > abs(directions[0, 0]))
    turn = np.zeros((2, 2))
    turn[0, to_left] = np.sign(directions[0, to_left]) or 1.0
    other = 1 - to_left
    turn[1, other] = np.sign(directions[1, other] - directions[2, other]) or 1.0
    return PlaneAxes(
        (grid.shape[first], grid.shape[second]),
        (grid.spacing[first], grid.spacing[second]),
        turn,
    )


def pixel_positions(side: int, spacing: float) -> Tensor:
    """Pixels of a square, mm from its centre: (1, 2, side, side)."""
    return (identity((side, side), torch.zeros(1)) - (side - 1) / 2) * spacing


def label_centre(labels: NDArray[np.integer], grid: Grid) -> tuple[float, float] | None:
    """Mean place of all labels (X, Y, Z), mm from the image's centre; None without labels."""
    axes = plane_axes(grid)
    places = np.argwhere(np.moveaxis(labels, grid.slice_axis, -1).any(-1))
    if not len(places):
        return None
    mm = (places.mean(0) - (np.array(axes.shape) - 1) / 2) * np.array(axes.spacing)
    left, back = axes.turned(torch.from_numpy(mm)[None])[0].tolist()
    return left, back
