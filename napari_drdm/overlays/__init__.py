"""A displacement field on view: arrows, a deformed grid, contours, and maps in colour."""

from __future__ import annotations

from napari_drdm.overlays.arrows import arrows
from napari_drdm.overlays.colours import (
    JACOBIAN_LIMITS,
    jacobian_colormap,
    limit_mm,
    magnitude_colormap,
)
from napari_drdm.overlays.contours import contours
from napari_drdm.overlays.grid import grid_lines
from napari_drdm.overlays.layer_field import LayerField
from napari_drdm.overlays.lines import Lines
from napari_drdm.overlays.style import DrawingStyle
from napari_drdm.overlays.view import View, view_of, voxel_under

__all__ = [
    "JACOBIAN_LIMITS",
    "DrawingStyle",
    "LayerField",
    "Lines",
    "View",
    "arrows",
    "contours",
    "grid_lines",
    "jacobian_colormap",
    "limit_mm",
    "magnitude_colormap",
    "view_of",
    "voxel_under",
]
