"""Layers as cases, and what is generated as layer data; no viewer, no Qt.

A layer's array is the NIfTI array with its axes reversed: (T, Z, Y, X), (Z, Y, X), or (Y, X) for a
single slice. Where a layer's file still holds its data, the case is that file, so that the window
and the shell compute the same bits; otherwise it is what its export will hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.case import Case
from src_core.errors import DRDMError, InputError
from src_core.header import grid_of, header_for
from src_core.io import read_case
from src_core.volume import LabelMap, Volume

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer

__all__ = [
    "LayerCase",
    "Snapshot",
    "case_from_layers",
    "make_case",
    "placement",
    "shown",
    "spacing_mm",
    "take_snapshot",
]

_SPATIAL = 3
_UNITS_MM = {"kilometer": 1e6, "meter": 1e3, "centimeter": 10.0, "micrometer": 1e-3}
_UNITS_MM |= {"nanometer": 1e-6, "millimeter": 1.0}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a case is made of, taken from layers in one moment.

    Attributes:
        image: the image layer's values, in the layer's order.
        labels: the labels layer's, or None.
        name: of the image layer.
        spacing: mm, of X, Y, Z.
        affine: voxel -> RAS mm, (4, 4), where the layer knows it.
        image_path: the file that the image came from.
        labels_path: the file that the labels came from.
    """

    image: NDArray[Any]
    labels: NDArray[Any] | None
    name: str
    spacing: tuple[float, float, float]
    affine: NDArray[np.float64] | None = None
    image_path: Path | None = None
    labels_path: Path | None = None

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

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """(X, Y, Z) or (X, Y, Z, T) -> (Z, Y, X), (T, Z, Y, X), or (Y, X) for single slices."""
        return (values[:, :, 0] if self.plane else values).T

    def field(self, lps_mm: NDArray[np.float32]) -> NDArray[np.float64]:
        """A displacement (X, Y, Z, 3), LPS mm -> voxels along the layer's axes, (*axes, n)."""
        voxels = self.case.grid.to_voxels(lps_mm)
        axes = range(2 if self.plane else 3)
        return np.stack([self.back(voxels[..., axis]) for axis in reversed(axes)], axis=-1)


def case_from_layers(image: Image, labels: Labels | None = None) -> LayerCase:
    """The case of an image layer and its labels.

    Raises:
        InputError: the image is RGB, or the labels do not lie on it.
    """
    return make_case(take_snapshot(image, labels))


def take_snapshot(image: Image, labels: Labels | None = None, copy: bool = True) -> Snapshot:
    """What a case needs; copied, so that the layers may change while it is computed.

    Raises:
        InputError: the image is RGB or has too many axes, or the labels do not lie on it.
    """
    values = _values(image)
    if getattr(image, "rgb", False):
        raise InputError(
            "this is a colour image",
            where=image.name,
            expected="one value per pixel",
            do="split its channels first",
        )
    if not 2 <= values.ndim <= 4:
        raise InputError(
            f"the image has {values.ndim} axes",
            where=image.name,
            expected="(Y, X), (Z, Y, X) or (T, Z, Y, X)",
            do="take one volume of it",
        )
    if labels is not None:
        _check_labels(labels, values, image.name)
    taken = np.array if copy else np.asarray
    return Snapshot(
        taken(values, dtype=np.float32 if values.dtype == np.float16 else None),
        None if labels is None else taken(_values(labels)),
        image.name,
        spacing_mm(image),
        _known_affine(image),
        _path(image),
        None if labels is None else _path(labels),
    )


def make_case(snapshot: Snapshot) -> LayerCase:
    """The case of a snapshot: its files where they still match, else its arrays.

    Raises:
        InputError: the arrays are no image, or no labels of it.
    """
    plane = snapshot.image.ndim == 2
    filed = _case_of_file(snapshot, plane)
    if filed is not None:
        return LayerCase(filed, plane)
    where: dict[str, Any] = (
        {"spacing": snapshot.spacing} if snapshot.affine is None else {"affine": snapshot.affine}
    )
    labels = None if snapshot.labels is None else snapshot.labels.T
    case = Case.from_arrays(snapshot.image.T, labels, name=snapshot.name, **where)
    # A header keeps 32 bits of an affine: compute with what a saved file will say.
    return LayerCase(replace(case, grid=grid_of(case.images[0].header)), plane)


def shown(volume: Volume) -> NDArray[Any]:
    """Values as a layer shows them: stored ones, or physical ones where the two differ."""
    slope, intercept = volume.scaling
    if (slope, intercept) == (1.0, 0.0):
        return volume.data
    return (volume.data * np.float64(slope) + intercept).astype(np.float32)


def placement(layer: Layer, ndim: int) -> dict[str, Any]:
    """Where a layer lies, for another one over its last ``ndim`` axes."""
    n = min(ndim, layer.ndim)
    upper = np.eye(layer.ndim)
    upper[np.triu_indices(layer.ndim, 1)] = layer.shear
    affine = np.asarray(layer.affine.affine_matrix)
    keep = [*range(layer.ndim - n, layer.ndim), layer.ndim]
    return {
        "scale": layer.scale[-n:],
        "translate": layer.translate[-n:],
        "rotate": layer.rotate[-n:, -n:],
        "shear": upper[-n:, -n:][np.triu_indices(n, 1)],
        "affine": affine[np.ix_(keep, keep)],
        "units": layer.units[-n:],
        "axis_labels": layer.axis_labels[-n:],
    }


def spacing_mm(layer: Layer) -> tuple[float, float, float]:
    """Distance between voxels along X, Y, Z; pixels count as mm, a missing axis as 1 mm."""
    origin = np.asarray(layer.data_to_world((0,) * layer.ndim))
    columns = [np.asarray(layer.data_to_world(row)) - origin for row in np.eye(layer.ndim)]
    units = [_UNITS_MM.get(str(unit), 1.0) for unit in layer.units]
    sizes = [float(np.linalg.norm(c * np.asarray(units))) for c in columns]
    z, y, x = [1.0, *sizes][-_SPATIAL:]
    return x, y, z


def _case_of_file(snapshot: Snapshot, plane: bool) -> Case | None:
    """The case as files hold it; labels without a file of their own join in memory."""
    if snapshot.image_path is None:
        return None
    case = _same_as_file(snapshot.image_path, snapshot.image, plane)
    if case is None or snapshot.labels is None:
        return case
    if snapshot.labels_path is not None:
        whole = _same_as_file(snapshot.labels_path, snapshot.labels, plane, snapshot.image_path)
        if whole is not None:
            return whole
    values = snapshot.labels.T if not plane else snapshot.labels.T[:, :, None]
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    header = header_for(case.grid, values.dtype, values.shape)
    return replace(case, labels=(LabelMap(values, header),))


def _same_as_file(
    path: Path, values: NDArray[Any], plane: bool, image: Path | None = None
) -> Case | None:
    """The case of a file (labels of ``image``, if given) if it holds these values."""
    try:
        case = read_case(path) if image is None else read_case(image, path)
    except (DRDMError, OSError):
        return None
    volume = case.images[0] if image is None else case.labels[0]
    if plane and volume.shape[2] != 1:
        return None
    return case if np.array_equal(LayerCase(case, plane).back(shown(volume)), values) else None


def _values(layer: Layer) -> NDArray[Any]:
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return np.asarray(data)


def _check_labels(labels: Labels, image: NDArray[Any], name: str) -> None:
    shape = _values(labels).shape
    if shape != image.shape and not (image.ndim == 4 and shape == image.shape[1:]):
        raise InputError(
            f"these labels are {' x '.join(map(str, shape))}",
            where=labels.name,
            expected=f"{' x '.join(map(str, image.shape))} as {name}",
            do="choose the labels of this image, or none",
        )


def _path(layer: Layer) -> Path | None:
    ours = layer.metadata.get("drdm", {}).get("path")
    path = ours or layer.source.path
    return Path(path) if path and Path(path).is_file() else None


def _known_affine(layer: Layer) -> NDArray[np.float64] | None:
    """The affine a sample or reader left, as long as the layer still has its spacing."""
    affine = layer.metadata.get("drdm", {}).get("affine")
    if affine is None or layer.ndim < _SPATIAL:
        return None
    known = np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    return np.asarray(affine) if np.allclose(known, spacing_mm(layer), rtol=1e-5) else None
