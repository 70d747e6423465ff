"""Layers as snapshots that cases are made of, and where a layer lies; no viewer, no Qt.

A layer's array is the NIfTI array with its axes reversed: (T, Z, Y, X), (Z, Y, X), or (Y, X) for a
single slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import Extra, LayerCase, Snapshot, make_case
from napari_drdm.layers.units import unit_of
from src_core.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer

__all__ = [
    "case_from_layers",
    "labels_for",
    "placement",
    "spacing_mm",
    "take_snapshot",
    "units_mm",
    "voxel_shape",
]

_SPATIAL = 3
_UNITS_MM = {"kilometer": 1e6, "meter": 1e3, "centimeter": 10.0, "micrometer": 1e-3}
_UNITS_MM |= {"nanometer": 1e-6, "millimeter": 1.0}


def case_from_layers(image: Image, labels: Labels | None = None) -> LayerCase:
    """The case of an image layer and its labels.

    Raises:
        InputError: the labels do not lie on the image.
    """
    return make_case(take_snapshot(image, labels).copied())


def take_snapshot(
    image: Image, labels: Labels | None = None, extras: Sequence[Image | Labels] = ()
) -> Snapshot:
    """What a case needs; ``Snapshot.copied`` copies it.

    Raises:
        InputError: the image has too many axes, or the labels do not lie on it.
    """
    values, *colours = _channels(image)
    if not 2 <= values.ndim <= 4:
        raise InputError(
            f"the image has {values.ndim} axes",
            where=image.name,
            expected="(Y, X), (Z, Y, X) or (T, Z, Y, X)",
            do="take one volume of it",
        )
    for layer in ([labels] if labels is not None else []) + list(extras):
        _check_shape(layer, values, image.name)
    return Snapshot(
        values,
        None if labels is None else _values(labels),
        image.name,
        spacing_mm(image),
        _known_affine(image),
        _path(image),
        None if labels is None else _path(labels),
        tuple(Extra(_values(e), type(e).__name__ == "Labels", _path(e)) for e in extras),
        unit_of(image),
        tuple(colours),
    )


def labels_for(image: Layer, layers: Iterable[Layer]) -> Layer | None:
    """The labels among some layers that lie on an image, those with its name before others."""
    shape = voxel_shape(image)
    fits = [
        layer
        for layer in layers
        if type(layer).__name__ == "Labels"
        and layer.ndim in (image.ndim, min(image.ndim, 3))
        and tuple(layer.data.shape) == tuple(shape[len(shape) - layer.ndim :])
    ]
    named = [layer for layer in fits if layer.name.startswith(image.name)]
    return (named or fits or [None])[0]


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
    sizes = [float(np.linalg.norm(c * units_mm(layer))) for c in columns]
    z, y, x = [1.0, *sizes][-_SPATIAL:]
    return x, y, z


def units_mm(layer: Layer) -> NDArray[np.float64]:
    """Size in mm of the unit of each of a layer's axes; pixels count as mm."""
    return np.array([_UNITS_MM.get(str(unit), 1.0) for unit in layer.units])


def voxel_shape(layer: Layer) -> tuple[int, ...]:
    """Voxels along a layer's axes, without that of colours."""
    shape = tuple(_values(layer).shape)
    return shape[:-1] if getattr(layer, "rgb", False) else shape


def _channels(image: Image) -> list[Any]:
    """The layer's array, or one for each of its colours."""
    values = _values(image)
    if not getattr(image, "rgb", False):
        return [values]
    return [values[..., channel] for channel in range(values.shape[-1])]


def _values(layer: Layer) -> Any:
    """The layer's array, which may still lie on a disk."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def _check_shape(layer: Image | Labels, image: Any, name: str) -> None:
    shape = _values(layer).shape
    if shape != image.shape and not (image.ndim == 4 and shape == image.shape[1:]):
        raise InputError(
            f"this layer is {' x '.join(map(str, shape))}",
            where=layer.name,
            expected=f"{' x '.join(map(str, image.shape))} as {name}",
            do="choose labels and images of the same voxels, or none",
        )


def _path(layer: Layer) -> Path | None:
    """The file that a layer came from, or the folder of its DICOM series."""
    ours = layer.metadata.get("drdm", {}).get("path")
    if ours:
        return Path(ours) if Path(ours).exists() else None
    path = layer.source.path
    return Path(path) if path and Path(path).is_file() else None


def _known_affine(layer: Layer) -> NDArray[np.float64] | None:
    """The affine a sample or reader left, as long as the layer still has its spacing."""
    affine = layer.metadata.get("drdm", {}).get("affine")
    if affine is None or layer.ndim < _SPATIAL:
        return None
    known = np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    return np.asarray(affine) if np.allclose(known, spacing_mm(layer), rtol=1e-5) else None
