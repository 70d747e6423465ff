"""A field as it is saved, in voxels and float64, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.tiles import parts, tile_axis
from src_core.fields.planes import Field, along_axis, field_tensor, lps_field

__all__ = ["SavedField"]


@dataclass(frozen=True, eq=False)
class SavedField:
    """What is measured and inverted.

    Attributes:
        field: (X, Y, Z, 3), LPS mm, on ``grid``.
        axis: along which nothing moves, None in 3D.
        shared: whether the slices along ``axis`` are all the same, so that one stands for all.
    """

    field: Field
    grid: Grid
    axis: int | None
    shared: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along X, Y and Z that differ: one along the axis of shared slices."""
        x, y, z = (
            1 if self.shared and a == self.axis else n for a, n in enumerate(self.grid.shape)
        )
        return x, y, z

    @property
    def along(self) -> int:
        """The axis of the grid that parts are cut along."""
        return tile_axis(self.shape, self.axis)

    @property
    def place(self) -> int | None:
        """The same among the axes that are deformed, None where slices are taken apart."""
        if self.along == self.axis:
            return None
        return [a for a in range(3) if a != self.axis].index(self.along)

    def parts(self, times: int = 1) -> Iterator[slice]:
        """Ranges of voxels along that axis."""
        return parts(self.shape, self.along, times)

    def read(self, first: int, last: int) -> Tensor:
        """A range of voxels along that axis: (slices or 1, D, *part)."""
        index = along_axis(self.along, slice(first, last))
        if not self.shared or self.axis is None:
            return field_tensor(self.field[index], self.grid, self.axis)
        large = len(list(parts(self.grid.shape, self.axis))) > 1
        some = self.field[along_axis(self.axis, slice(0, 1))] if large else self.field
        return field_tensor(some[index], self.grid, self.axis)[:1]

    def vectors(self, u: Tensor, part: slice) -> Field:
        """The reverse of ``read`` at a part's voxels, of all slices where it is everything."""
        lengths = list(self.shape)
        if part == slice(0, lengths[self.along]):
            return lps_field(u, self.grid, self.axis)
        lengths[self.along] = part.stop - part.start
        x, y, z = lengths
        return lps_field(u, Grid((x, y, z), self.grid.affine), self.axis)
