"""One drawn deformation, ``new(x) = image(x + u(x))``: small, a value, the same on every grid.

It is kept where it was composed, on the model's state grid, and resampled when it is applied; with
a pose P, if one was drawn, as one map: ``new(x) = image(P(x) + u(P(x)))``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.on_grid import covered_percent, on_grid
from src_core.fields.planes import Field, field_tensor, in_plane_axis, lps_field
from src_core.fields.points import MovedPoints, move_points
from src_core.fields.posed import between_voxels, posed_on, posed_planes, unposed
from src_core.generation.drawn import DrawnIntensities, DrawnPose
from src_core.generation.intensity_changes import changed
from src_core.models.fit import Fit
from src_core.transforms.placed import Placed

__all__ = ["Deformation"]

# Grids this close, in voxels, are one: readers round affines differently.
_SAME = 0.01


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
        pose: drawn with it, about the centre of ``grid``; None for none.
        intensities: drawn with it, one for each channel; empty for none.
    """

    u: NDArray[np.float32]
    grid: Grid
    axis: int | None
    size: int
    level: int
    seed: int
    pose: DrawnPose | None = None
    intensities: tuple[DrawnIntensities, ...] = ()

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.grid.shape))
        with_pose = ", with a pose" if self.pose is not None else ""
        return f"Deformation(level={self.level}, seed={self.seed}, of {shape}{with_pose})"

    def field(self) -> Field:
        """(X, Y, Z, 3), float32, LPS mm, on the case's grid: the field ``drdm generate`` saves."""
        return lps_field(self._posed(torch.float64), self.grid, self.axis)

    def changed(self, values: Tensor, first: int = 0) -> Tensor:
        """Images (C, X, Y, Z), floating point, with the intensities that were drawn.

        Channels beyond those that were drawn for begin with the first again.

        Args:
            values: the channels; they have been deformed.
            first: number of their first channel among those of all images.
        """
        if not self.intensities:
            return values
        drawn = [self.intensities[(first + c) % len(self.intensities)] for c in range(len(values))]
        pairs = zip(values.split(1), drawn, strict=True)
        return torch.cat([changed(one, numbers, self.axis) for one, numbers in pairs])

    def on(self, grid: Grid, inverse: bool = False) -> Placed:
        """Over images of a grid, the case's or another: cropped, turned, resampled.

        An identity affine counts as none: with the case's shape, the case's own is used.

        Raises:
            InputError: a grid that does not overlap, or an identity affine with another shape.
        """
        if inverse:
            return self._undone(grid)
        if self._is(grid):
            return Placed(self._posed(torch.float32), self.axis)
        return self._elsewhere(grid)

    def points(self, positions: ArrayLike, inverse: bool = False) -> MovedPoints:
        """Points of the image as they lie in the deformed image; ``inverse`` undoes it.

        Args:
            positions: (N, 3), LPS mm.
            inverse: from the deformed image back to the image.
        """
        pose = None if self.pose is None else self.pose.matrix(self.grid, self.axis)
        return move_points(positions, self.field(), self.grid, inverse=inverse, pose=pose)

    @classmethod
    def of_field(cls, field: Field, grid: Grid, level: int, seed: int) -> Deformation:
        """The deformation of a field on its case's grid, (X, Y, Z, 3), LPS mm."""
        planes, axis = _planes_of(field, grid)
        return cls(planes.float().numpy(), grid, axis, 0, level, seed)

    def as_dict(self) -> dict[str, Any]:
        """Numbers and arrays alone, for the traces of other packages."""
        values: dict[str, Any] = {
            "u": self.u,
            "shape": np.array(self.grid.shape),
            "affine": np.array(self.grid.affine),
            "axis": -1 if self.axis is None else self.axis,
            "size": self.size,
            "level": self.level,
            "seed": self.seed,
        }
        if self.pose is not None:
            values["pose"] = self.pose.numbers()
        if self.intensities:
            values["intensities"] = np.stack([drawn.numbers() for drawn in self.intensities])
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Deformation:
        """The reverse of ``as_dict``."""
        axis, size, level, seed = (int(values[k]) for k in ("axis", "size", "level", "seed"))
        x, y, z = (int(n) for n in values["shape"])
        grid = Grid((x, y, z), np.asarray(values["affine"]))
        u = np.asarray(values["u"], dtype=np.float32)
        pose = DrawnPose.from_numbers(values["pose"]) if "pose" in values else None
        intensities = tuple(map(DrawnIntensities.from_numbers, values.get("intensities", ())))
        return cls(u, grid, None if axis < 0 else axis, size, level, seed, pose, intensities)

    def _is(self, grid: Grid) -> bool:
        if self.grid.shape != grid.shape:
            return False
        if self.grid == grid:
            return True
        near = _SAME * min(self.grid.spacing)
        return _no_affine(grid) or self.grid.distance_mm(grid) < near

    def _voxels(self, dtype: torch.dtype) -> Tensor:
        if not self.size:
            return torch.from_numpy(self.u).to(dtype)
        kept = [a for a in range(3) if a != self.axis]
        shape, spacing = self.grid.shape, self.grid.spacing
        fit = Fit(tuple(shape[a] for a in kept), tuple(spacing[a] for a in kept), self.size)
        return fit.displacement(torch.from_numpy(self.u).to(dtype))

    def _posed(self, dtype: torch.dtype) -> Tensor:
        """The whole map on the case's own grid, as ``_voxels`` has the deformation."""
        if self.pose is None:
            return self._voxels(dtype)
        inner = between_voxels(self.grid, self.pose.matrix(self.grid, self.axis), self.grid)
        ranges = [range(n) for n in self.grid.shape]
        return posed_planes(self._voxels(torch.float64), inner, self.axis, ranges).to(dtype)

    def _elsewhere(self, grid: Grid) -> Placed:
        self._check_overlap(grid)
        if self.pose is None:
            return _placed(on_grid(self.field(), self.grid, grid), grid)
        own = lps_field(self._voxels(torch.float64), self.grid, self.axis)
        matrix = self.pose.matrix(self.grid, self.axis)
        return _placed(posed_on(own, self.grid, matrix, grid), grid)

    def _undone(self, grid: Grid) -> Placed:
        """The inverse of the whole map: that of the deformation, then that of the pose."""
        if self.pose is not None:
            here = self.grid if self._is(grid) else grid
            back = replace(self, pose=None)._undone(here)
            field = lps_field(back.u, here, back.axis)
            return _placed(unposed(field, here, self.pose.matrix(self.grid, self.axis)), here)
        own = self._is(grid)
        placed = Placed(self._voxels(torch.float64), self.axis) if own else self._elsewhere(grid)
        return placed.inverse()

    def _check_overlap(self, grid: Grid) -> None:
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


def _placed(field: Field, grid: Grid) -> Placed:
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
