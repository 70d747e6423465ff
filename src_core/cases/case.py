"""One subject: co-registered images and label maps on one grid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.cases.checks import (
    check_image,
    check_labels,
    check_same_grid,
    check_shape,
    check_type,
)
from src_core.cases.grid import Grid
from src_core.cases.header import grid_of, header_for
from src_core.cases.volume import Image, LabelMap, Volume
from src_core.errors import ArgumentError, GeometryWarning, InputError

__all__ = ["Case", "Image", "LabelMap"]


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """Images and labels that lie on one grid.

    Args:
        images: at least one; (X, Y, Z) or (X, Y, Z, T), frames may differ.
        labels: any number, 3D or with the first image's frames.
        grid: of all of them.
        name: of the subject, in file names and messages.
        notes: warnings met while it was read, one line each.
    """

    images: tuple[Image, ...]
    labels: tuple[LabelMap, ...]
    grid: Grid
    name: str = "image"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.images:
            raise ArgumentError("Case() 'images' must hold at least one image, got none")
        for volume in (*self.images, *self.labels):
            if volume.shape != self.grid.shape:
                raise ArgumentError(
                    f"Case() volumes must be {self.grid.shape} as the grid, got {volume.shape}"
                )

    def __repr__(self) -> str:
        parts = self.grid.shape, self.grid.spacing
        size, mm = (" x ".join(f"{n:.4g}" for n in part) for part in parts)
        volumes = ", ".join(map(repr, (*self.images, *self.labels)))
        return f"Case({self.name!r}, {size} voxels of {mm} mm, {volumes})"

    @property
    def image(self) -> NDArray[Any]:
        """Stored values of the first image, (X, Y, Z) or (X, Y, Z, T)."""
        return self.images[0].data

    @property
    def label_map(self) -> NDArray[Any] | None:
        """Values of the first label map, or None."""
        return self.labels[0].data if self.labels else None

    @classmethod
    def from_arrays(
        cls,
        image: ArrayLike,
        labels: ArrayLike | None = None,
        affine: ArrayLike | None = None,
        spacing: float | Sequence[float] | None = None,
        name: str = "image",
    ) -> Case:
        """A case from arrays in memory.

        Args:
            image: (X, Y), (X, Y, Z) or (X, Y, Z, T).
            labels: whole numbers on the same grid.
            affine: (4, 4), voxel -> RAS mm.
            spacing: mm, where there is no affine (axes are LPS then); 1 mm without either.
            name: of the subject, in messages and file names.

        Raises:
            InputError: the arrays are no image, or no labels of it.
            ArgumentError: both an affine and a spacing, or an impossible one.
        """
        if affine is not None and spacing is not None:
            raise ArgumentError("Case.from_arrays() takes 'affine' or 'spacing', got both")
        data = _volume_array(image, name)
        check_shape(data.shape, name)
        shape = (data.shape[0], data.shape[1], data.shape[2])
        grid = (
            Grid.from_spacing(shape, 1.0 if spacing is None else spacing)
            if affine is None
            else Grid(shape, np.asarray(affine))
        )
        header = header_for(grid, data.dtype, data.shape)
        maps = []
        if labels is not None:
            values = _volume_array(labels, f"labels of {name}")
            maps.append(LabelMap(values, header_for(grid, values.dtype, values.shape)))
        # As a file would give it back: NIfTI keeps geometry in single precision.
        return assemble([Image(data, header)], maps, name, grid_of(header, name))


def assemble(
    images: Sequence[Image], labels: Sequence[LabelMap], name: str, grid: Grid | None = None
) -> Case:
    """Check volumes against the first image and make them a case.

    Raises:
        InputError: one of them is no image, or does not fit.
    """
    notes: list[str] = []
    first = images[0]
    labels = [_for_all_frames(label_map, first) for label_map in labels]
    grid = grid or grid_of(first.header, _where(first, name))
    for image in images:
        where = _where(image, name)
        check_image(image, where, flat=image.channel is not None)
        check_same_grid(grid, _own_grid(image, grid, where), "this image's voxels", where)
    for label_map in labels:
        where = _where(label_map, f"labels of {name}")
        check_labels(label_map, first, where)
        check_same_grid(grid, _own_grid(label_map, grid, where), "the labels", where)
    if grid.sheared:
        notes.append(
            f"the affine is sheared, {_where(first, name)}, results are right in NIfTI tools "
            "but ITK (SimpleITK, ANTs, Slicer) cannot read such a grid"
        )
        warnings.warn(notes[-1], GeometryWarning, stacklevel=3)
    return Case(tuple(images), tuple(labels), grid, name, tuple(notes))


def _for_all_frames(labels: LabelMap, image: Image) -> LabelMap:
    """Labels of a cine that are one frame are those of all its frames."""
    if labels.data.ndim == 3 or labels.frames > 1 or image.frames == 1:
        return labels
    header = labels.header.copy()
    header.set_data_shape(labels.shape)
    return replace(labels, data=labels.data[..., 0], header=header)


def _own_grid(volume: Volume, grid: Grid, where: str) -> Grid:
    return grid if volume.path is None else grid_of(volume.header, where)


def _where(volume: Volume, name: str) -> str:
    return str(volume.path) if volume.path else name


def _volume_array(values: ArrayLike, where: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    check_type(array.dtype, where)
    if array.ndim not in (2, 3, 4):
        raise InputError(
            f"the array has {array.ndim} axes",
            where=where,
            expected="(X, Y), (X, Y, Z) or (X, Y, Z, T)",
            do="take one volume of it",
        )
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array[:, :, None] if array.ndim == 2 else array
