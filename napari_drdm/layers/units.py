"""What lengths and sizes on a layer are shown in: mm where a spacing is known, else pixels. No Qt.

A spacing is known from a file, or from the scale or units that a layer was given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_drdm.widgets.length_unit import MM, PX, LengthUnit
from src_core.io.formats import format_named

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["unit_of"]

_SPATIAL = 3


def unit_of(layer: Layer | None) -> LengthUnit:
    """The unit of an image or labels layer; mm without a layer."""
    if layer is None or _placed(layer) or _measured(layer) or _filed(layer):
        return MM
    return PX


def _placed(layer: Layer) -> bool:
    """A reader or sample left an affine."""
    known = layer.metadata.get("drdm", {})
    return "affine" in known or "plane_affine" in known


def _measured(layer: Layer) -> bool:
    """Its spatial axes have a unit of length, or a scale."""
    axes = slice(-min(_SPATIAL, layer.ndim), None)
    units = {str(unit) for unit in layer.units[axes]}
    return units != {"pixel"} or any(float(s) != 1.0 for s in layer.scale[axes])


def _filed(layer: Layer) -> bool:
    """It came from a file that holds a spacing, as pictures do not."""
    path = layer.source.path
    found = format_named(path) if path and Path(path).is_file() else None
    return found is not None and found.read_image is not None and not found.picture
