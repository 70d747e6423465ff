"""One drawn deformation, ``new(x) = image(x + u(x))``: small, a value, the same on every grid.

It is kept where it was composed, on the model's state grid, and resampled when it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.intensities import background, rounded
from src_core.errors import InputError
from src_core.fields import invert
from src_core.fields.on_grid import covered_percent, on_grid
from src_core.fields.planes import (
    Field,
    field_tensor,
    from_planes,
    in_plane_axis,
    lps_field,
    to_planes,
)
from src_core.fields.sampling import Mode, identity, sample_inside, warp_labels
from src_core.models.fit import Fit
from src_core.transforms.labels import labels_at

__all__ = ["Deformation", "Placed"]

# Grids this close, in voxels, are one: readers round affines differently.
_SAME = 0.01


@dataclass(frozen=True, eq=False)
class Placed:
    """A deformation over images of one grid.

    Attributes:
        u: (1 or Z, 2, A, B), voxels of the slices along ``axis``, or (1, 3, X, Y, Z).
        axis: the slice axis, None in 3D.
    """

    u: Tensor
    axis: int | None

    def inverse(self) -> Placed:
        """The inverse: phi(psi(y)) = y, wherever psi(y) lies inside; see ``fields.invert``."""
        return Placed(invert(self.u.double()).displacement, self.axis)

    def image(self, values: Tensor, mode: Mode = "linear") -> Tensor:
        """Images (C, X, Y, Z), of their own type; gradients reach ``values``.

        Outside, a channel takes its smallest value where that is negative and else 0.
        """
        wide = values if values.dtype == torch.float64 else values.float()
        planes = self._planes(wide)
        outside = background(wide.detach().flatten(1).amin(1))
        outside = outside.repeat_interleave(planes.shape[1] // len(values))
        outside = outside.view(1, -1, *[1] * (planes.dim() - 2))
        moved = sample_inside(planes, self._positions(wide), outside, mode)
        return _stored(self._volumes(moved, values.shape), values.dtype)

    def labels(self, values: Tensor, mode: Literal["linear", "nearest"] = "linear") -> Tensor:
        """Labels (C, X, Y, Z), whole numbers of whatever type: one-hot linear argmax, or nearest.

        Outside they are 0.
        """
        planes = self._planes(values)
        like = values if values.dtype == torch.float64 else values[:0].float()
        warped = labels_at if self.axis is None else warp_labels  # in 2D the plain one is as fast
        moved = warped(planes, self._positions(like), mode)
        return self._volumes(moved, values.shape).to(values.dtype)

    def _positions(self, like: Tensor) -> Tensor:
        u = self.u.to(like)
        return identity(u.shape[2:], u) + u

    def _planes(self, values: Tensor) -> Tensor:
        """(C, X, Y, Z) -> (1, C, X, Y, Z), (Z, C, A, B), or (1, C Z, A, B) for one field of all."""
        if self.axis is None or len(self.u) > 1:
            return to_planes(values, self.axis)
        return values.movedim(self.axis + 1, 1).flatten(0, 1)[None]

    def _volumes(self, planes: Tensor, shape: torch.Size) -> Tensor:
        """The reverse of ``_planes``."""
        if self.axis is None or len(self.u) > 1:
            return from_planes(planes, self.axis).contiguous()
        stack = planes[0].unflatten(0, (shape[0], shape[self.axis + 1]))
        return stack.movedim(1, self.axis + 1).contiguous()


@dataclass(frozen=True, eq=False, repr=False)
class Deformation:
    """A deformation of one case.

    Attributes:
        u: (units, D, *state), float32, state voxels; one unit for all slices, or one each.
        grid: the case's.
        axis: its slice axis, None for a 3D model.
        size: pixels per side of the model's grid; 0 where u is on the case's own, in its voxels.
        level, seed: what it was drawn with; ``drdm generate`` gives the same for the same image and
            steps.
    """

    u: NDArray[np.float32]
    grid: Grid
    axis: int | None
    size: int
    level: int
    seed: int

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.grid.shape))
        return f"Deformation(level={self.level}, seed={self.seed}, of {shape})"

    def field(self) -> Field:
        """(X, Y, Z, 3), float32, LPS mm, on the case's grid: the field ``drdm generate`` saves."""
        return lps_field(self._voxels(torch.float64), self.grid, self.axis)

    def on(self, grid: Grid, inverse: bool = False) -> Placed:
        """Over images of a grid, the case's or another: cropped, turned, resampled.

        An identity affine counts as none: with the case's shape, the case's own is used.

        Raises:
            InputError: a grid that does not overlap, or an identity affine with another shape.
        """
        dtype = torch.float64 if inverse else torch.float32
        placed = Placed(self._voxels(dtype), self.axis) if self._is(grid) else self._elsewhere(grid)
        return placed.inverse() if inverse else placed

    @classmethod
    def of_field(cls, field: Field, grid: Grid, level: int, seed: int) -> Deformation:
        """The deformation of a field on its case's grid, (X, Y, Z, 3), LPS mm."""
        planes, axis = _planes_of(field, grid)
        return cls(planes.float().numpy(), grid, axis, 0, level, seed)

    def as_dict(self) -> dict[str, Any]:
        """Numbers and arrays alone, for the traces of other packages."""
        return {
            "u": self.u,
            "shape": np.array(self.grid.shape),
            "affine": np.array(self.grid.affine),
            "axis": -1 if self.axis is None else self.axis,
            "size": self.size,
            "level": self.level,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Deformation:
        """The reverse of ``as_dict``."""
        axis, size, level, seed = (int(values[k]) for k in ("axis", "size", "level", "seed"))
        x, y, z = (int(n) for n in values["shape"])
        grid = Grid((x, y, z), np.asarray(values["affine"]))
        u = np.asarray(values["u"], dtype=np.float32)
        return cls(u, grid, None if axis < 0 else axis, size, level, seed)

    def _is(self, grid: Grid) -> bool:
        if self.grid.shape != grid.shape:
            return False
        near = _SAME * min(self.grid.spacing)
        return _no_affine(grid) or self.grid.distance_mm(grid) < near

    def _voxels(self, dtype: torch.dtype) -> Tensor:
        if not self.size:
            return torch.from_numpy(self.u).to(dtype)
        kept = [a for a in range(3) if a != self.axis]
        shape, spacing = self.grid.shape, self.grid.spacing
        fit = Fit(tuple(shape[a] for a in kept), tuple(spacing[a] for a in kept), self.size)
        return fit.displacement(torch.from_numpy(self.u).to(dtype))

    def _elsewhere(self, grid: Grid) -> Placed:
        lost = _no_affine(grid) and not _no_affine(self.grid)
        if lost or not covered_percent(self.grid, grid):
            raise InputError(
                "the image has no affine and another shape"
                if lost
                else "the deformation does not overlap the image",
                where=repr(self),
                expected="an image of the same case, with its affine",
                do="keep affines through the pipeline, or make deformations of these images",
            )
        field = on_grid(self.field(), self.grid, grid)
        axis = in_plane_axis(field, grid)
        return Placed(field_tensor(field, grid, axis), axis)


def _planes_of(field: Field, grid: Grid) -> tuple[Tensor, int | None]:
    """A field as ``Deformation.u`` has it, one unit where all slices move alike, and its axis."""
    along = grid.slice_axis
    if grid.shape[along] > 2 and (field == field.take([0], along)).all():
        x, y, z = (2 if a == along else n for a, n in enumerate(grid.shape))
        two = field.take([0, 1], along)
        thin = Grid((x, y, z), grid.affine)
        if (axis := in_plane_axis(two, thin)) is not None:
            return field_tensor(two, thin, axis)[:1], axis
    axis = in_plane_axis(field, grid)
    return field_tensor(field, grid, axis), axis


def _no_affine(grid: Grid) -> bool:
    return np.array_equal(grid.affine, np.eye(4))


def _stored(values: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point:
        return values.to(dtype)
    if dtype == torch.bool:
        return values > 0.5
    limits = torch.iinfo(dtype)
    return rounded(values, limits.min, limits.max).to(dtype)
