"""Snapshots of layers as cases, and the way from a case's arrays back to its layers'.

Where a layer's file still holds its data, the case is that file, so that the window and the shell
compute the same bits; otherwise it is what its export will hold.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.widgets.length_unit import MM, LengthUnit
from src_core.cases.case import Case
from src_core.cases.header import grid_of, header_for
from src_core.cases.volume import Image, LabelMap, Volume
from src_core.errors import DRDMError
from src_core.io import read_case

__all__ = ["Extra", "LayerCase", "Snapshot", "fingerprint", "make_case", "shown"]


@dataclass(frozen=True, eq=False)
class Extra:
    """Another layer that goes through the same field: its values, and the file they came from."""

    values: NDArray[Any]
    labels: bool
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a case is made of, taken from layers in one moment.

    Attributes:
        image: the image layer's values, in the layer's order; of one in colour, its red.
        labels: the labels layer's, or None.
        name: of the image layer.
        spacing: mm, of X, Y, Z.
        affine: voxel -> RAS mm, (4, 4), of the layer's file, with the spacing of the layer.
        image_path: the file that the image came from.
        labels_path: the file that the labels came from.
        extras: further images and labels, in the image's voxels.
        length: the unit of lengths, px where no spacing is known.
        colours: of a layer in colour, green, blue and perhaps opacity.
    """

    image: NDArray[Any]
    labels: NDArray[Any] | None
    name: str
    spacing: tuple[float, float, float]
    affine: NDArray[np.float64] | None = None
    image_path: Path | None = None
    labels_path: Path | None = None
    extras: tuple[Extra, ...] = ()
    length: LengthUnit = MM
    colours: tuple[NDArray[Any], ...] = ()

    def copied(self) -> Snapshot:
        """The same in memory of its own, so that the layers may change."""
        labels = None if self.labels is None else _copied(self.labels)
        extras = tuple(replace(e, values=_copied(e.values)) for e in self.extras)
        colours = tuple(map(_copied, self.colours))
        image = _copied(self.image)
        return replace(self, image=image, labels=labels, extras=extras, colours=colours)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z)."""
        z, y, x = (1, *self.image.shape)[-3:]
        return x, y, z


@dataclass(frozen=True, eq=False)
class LayerCase:
    """A case and the way from its arrays back to its layers'.

    Attributes:
        case: what is computed with.
        plane: the layers are single slices, (Y, X).
    """

    case: Case
    plane: bool

    @property
    def colours(self) -> int:
        """How many of the first images are the channels of a layer in colour; 0 for others."""
        return sum(image.channel is not None for image in self.case.images)

    def joined(self, images: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Images in the layers' order, the channels of one in colour as one array, (..., n)."""
        n = self.colours
        return (np.stack(images[:n], axis=-1), *images[n:]) if n else tuple(images)

    def layer_images(self, images: Sequence[Volume]) -> tuple[NDArray[Any], ...]:
        """The case's images, or new ones like them, as their layers hold them."""
        return self.joined([self.back(shown(image)) for image in images])

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """(X, Y, Z) or (X, Y, Z, T) -> (Z, Y, X), (T, Z, Y, X), or (Y, X) for single slices."""
        return (values[:, :, 0] if self.plane else values).T

    def field(self, lps_mm: NDArray[np.float32]) -> NDArray[np.float64]:
        """A displacement (X, Y, Z, 3), LPS mm -> voxels along the layer's axes, (*axes, n)."""
        voxels = self.case.grid.to_voxels(lps_mm)
        axes = range(2 if self.plane else 3)
        return np.stack([self.back(voxels[..., axis]) for axis in reversed(axes)], axis=-1)


def make_case(snapshot: Snapshot) -> LayerCase:
    """The case of a snapshot: its files where they still match, else its arrays.

    Raises:
        InputError: the arrays are no image, or no labels of it.
    """
    plane = snapshot.image.ndim == 2
    case = _case_of_file(snapshot, plane) or _case_of_arrays(snapshot)
    return LayerCase(_with_extras(case, snapshot, plane), plane)


def fingerprint(snapshot: Snapshot) -> Hashable:
    """What tells two snapshots apart: a checksum of their arrays, and where they lie."""
    extras = [e.values for e in snapshot.extras]
    arrays = (snapshot.image, snapshot.labels, *snapshot.colours, *extras)
    affine = None if snapshot.affine is None else snapshot.affine.tobytes()
    paths = (snapshot.image_path, snapshot.labels_path, *(e.path for e in snapshot.extras))
    colours = len(snapshot.colours)
    return (snapshot.name, snapshot.spacing, affine, paths, colours, *map(_checksum, arrays))


def _checksum(values: Any) -> Hashable:
    """Of an array in memory; one on a disk is identified by its object."""
    if not isinstance(values, np.ndarray) or isinstance(values, np.memmap):
        return id(values)
    return values.shape, values.dtype.str, zlib.crc32(np.ascontiguousarray(values).data)


def _copied(values: Any) -> NDArray[Any]:
    """In memory; half floats as floats, since no NIfTI file holds them."""
    return np.array(values, dtype=np.float32 if values.dtype == np.float16 else None)


def _case_of_arrays(snapshot: Snapshot) -> Case:
    where: dict[str, Any] = (
        {"spacing": snapshot.spacing} if snapshot.affine is None else {"affine": snapshot.affine}
    )
    labels = None if snapshot.labels is None else snapshot.labels.T
    case = Case.from_arrays(snapshot.image.T, labels, name=snapshot.name, **where)
    # A header keeps 32 bits of an affine: compute with what a saved file will say.
    case = replace(case, grid=grid_of(case.images[0].header))
    return _with_colours(case, snapshot) if snapshot.colours else case


def _with_colours(case: Case, snapshot: Snapshot) -> Case:
    """The case of a layer in colour: an image for each channel."""
    images = [replace(case.images[0], channel=0)]
    for channel, colour in enumerate(snapshot.colours, start=1):
        data = colour.T[:, :, None] if snapshot.image.ndim == 2 else colour.T
        header = header_for(case.grid, data.dtype, data.shape)
        images.append(Image(data, header, channel=channel))
    return replace(case, images=tuple(images))


def _with_extras(case: Case, snapshot: Snapshot, plane: bool) -> Case:
    images, labels = list(case.images), list(case.labels)
    for extra in snapshot.extras:
        filed = _same_as_file(extra.path, extra.values, plane) if extra.path else None
        data = extra.values.T[:, :, None] if plane else extra.values.T
        data = data.view(np.uint8) if data.dtype.kind == "b" else data
        header = header_for(case.grid, data.dtype, data.shape)
        if extra.labels:
            volume = filed.images[0] if filed else None
            labels.append(
                LabelMap(volume.data, volume.header, volume.path)
                if volume
                else LabelMap(data, header)
            )
        else:
            images.append(filed.images[0] if filed else Image(data, header))
    return replace(case, images=tuple(images), labels=tuple(labels))


def shown(volume: Volume) -> NDArray[Any]:
    """Values as a layer shows them: stored ones, or physical ones where the two differ."""
    slope, intercept = volume.scaling
    if (slope, intercept) == (1.0, 0.0):
        return volume.data
    return (volume.data * np.float64(slope) + intercept).astype(np.float32)


def _case_of_file(snapshot: Snapshot, plane: bool) -> Case | None:
    """The case as files hold it; labels without a file of their own join in memory."""
    if snapshot.image_path is None:
        return None
    colours = snapshot.colours
    case = _same_as_file(snapshot.image_path, snapshot.image, plane, colours=colours)
    if case is None or not _same_spacing(snapshot, case, plane):
        return None
    if snapshot.labels is None:
        return case
    if snapshot.labels_path is not None:
        paths = snapshot.labels_path, snapshot.image_path
        whole = _same_as_file(paths[0], snapshot.labels, plane, paths[1], colours)
        if whole is not None:
            return whole
    values = snapshot.labels.T if not plane else snapshot.labels.T[:, :, None]
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    header = header_for(case.grid, values.dtype, values.shape)
    return replace(case, labels=(LabelMap(values, header),))


def _same_as_file(
    path: Path,
    values: NDArray[Any],
    plane: bool,
    image: Path | None = None,
    colours: Sequence[NDArray[Any]] = (),
) -> Case | None:
    """The case of a file (labels of ``image``, if given) if it holds these values and colours."""
    try:
        case = read_case(path) if image is None else read_case(image, path)
    except (DRDMError, OSError):
        return None
    volume = case.images[0] if image is None else case.labels[0]
    if plane and volume.shape[2] != 1:
        return None
    back = LayerCase(case, plane).back
    held = [back(shown(v)) for v in (volume, *case.images[1:])]
    same = len(case.images) == 1 + len(colours) and all(
        map(np.array_equal, held, (values, *colours))
    )
    return case if same else None


def _same_spacing(snapshot: Snapshot, case: Case, plane: bool) -> bool:
    """Whether a layer has its file's spacing, or none at all."""
    axes = 2 if plane else 3
    own = snapshot.spacing[:axes]
    return set(own) == {1.0} or np.allclose(own, case.grid.spacing[:axes], rtol=1e-3)
