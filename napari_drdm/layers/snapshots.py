"""Layers as snapshots that cases are made of; no viewer, no Qt.

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
from napari_drdm.layers.geometry import (
    check_place,
    known_affine,
    spacing_mm,
)
from napari_drdm.layers.units import unit_of
from src_core.errors import DRDMError, InputError

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer

__all__ = [
    "case_from_layers",
    "is_finished_result",
    "is_result",
    "labels_for",
    "take_snapshot",
    "voxel_shape",
]

_PLANE = 2
_SAME = 1e-5
#: Outputs that can be sources again.
_SOURCES = ("image", "labels", "pinned", "pinned labels", "moved", "moved back")


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
        check_place(layer, image, "the labels" if _holds_labels(layer) else "this image's voxels")
    return Snapshot(
        values,
        None if labels is None else _values(labels),
        image.name,
        spacing_mm(image),
        _affine(image),
        _path(image),
        None if labels is None else _path(labels),
        tuple(Extra(_values(e), _holds_labels(e), _path(e)) for e in extras),
        unit_of(image),
        tuple(colours),
    )


def is_result(layer: Layer) -> bool:
    """Whether a layer was made by this package, and is not what was read from a file."""
    return "output" in layer.metadata.get("drdm", {})


def is_finished_result(layer: Layer) -> bool:
    """Whether a layer is a new image or new labels, not a comparison, a map or an overlay."""
    return layer.metadata.get("drdm", {}).get("output") in _SOURCES


def labels_for(image: Layer, layers: Iterable[Layer]) -> Layer | None:
    """The labels among some layers that lie on an image, those with its name before others."""
    shape = voxel_shape(image)
    fits = [
        layer
        for layer in layers
        if _holds_labels(layer)
        and layer.ndim in (image.ndim, min(image.ndim, 3))
        and tuple(layer.data.shape) == tuple(shape[len(shape) - layer.ndim :])
        and _lies_on(layer, image)
    ]
    named = [layer for layer in fits if layer.name.startswith(image.name)]
    return (named or fits or [None])[0]


def _holds_labels(layer: Layer) -> bool:
    return type(layer).__name__ == "Labels"


def _lies_on(layer: Layer, image: Layer) -> bool:
    try:
        check_place(layer, image, "the labels")
    except DRDMError:
        return False
    return True


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


def _affine(layer: Layer) -> NDArray[np.float64] | None:
    """The affine of a layer's file, with the spacing that the layer has now."""
    known = known_affine(layer.metadata, layer.ndim)
    if known is None:
        return None
    filed, own = np.linalg.norm(known[:3, :3], axis=0), np.asarray(spacing_mm(layer))
    if layer.ndim == _PLANE:
        own[2] = filed[2]
    same = np.allclose(filed, own, rtol=_SAME)
    return known if same else np.asarray(known @ np.diag([*(own / filed), 1.0]))
