"""Overlays on the voxels themselves: the new image and labels, and maps of the displacement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_drdm.layers.derived import look_of
from napari_drdm.overlays.colours import (
    JACOBIAN_LIMITS,
    jacobian_colormap,
    limit_mm,
    magnitude_colormap,
)
from napari_drdm.overlays.overlay import BLENDING, LayerContent
from napari_drdm.overlays.renew import renew
from napari_drdm.overlays.rim import keep_rim_true

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_drdm.overlays.style import DrawingStyle
    from napari_drdm.overlays.view import View
    from napari_drdm.runs.moments import Moment

__all__ = [
    "image_content",
    "jacobian_content",
    "jacobian_layer",
    "labels_content",
    "labels_layer",
    "magnitude_content",
    "set_labels",
    "set_volume",
]


def image_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """The new image, shown as its source is."""
    own: Any = moment.source_layers(Image)[index]
    return LayerContent(moment.images[index], look_of(own))


def labels_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """The labels carried along, in the type and colours of their source."""
    own: Any = moment.source_layers(Labels)[index]
    data = moment.labels[index].astype(own.data.dtype, copy=False)
    return LayerContent(data, {"colormap": own.colormap, "opacity": own.opacity})


def magnitude_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """Length of the displacement, mm."""
    u = moment.field()
    lengths = moment.layer_case.back(np.sqrt(np.einsum("xyzi,xyzi->xyz", u, u)))
    return _map(lengths, magnitude_colormap(), (0.0, limit_mm(moment.layer_case.case.grid)))


def jacobian_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """Determinant of x -> x + u(x)."""
    assert moment.jacobian is not None
    return _map(moment.layer_case.back(moment.jacobian), jacobian_colormap(), JACOBIAN_LIMITS)


def jacobian_layer(data: NDArray[Any], **settings: Any) -> Image:
    """An image layer whose thumbnail ends with its own colours."""
    return keep_rim_true(Image(data, **settings))


def labels_layer(data: NDArray[Any], **settings: Any) -> Labels:
    """A labels layer with memory of its own, for the user to paint in."""
    return Labels(data.copy(), **settings)


def set_volume(layer: Layer, content: LayerContent, moment: Moment) -> bool:
    """New voxels of the same shape; while a run is under way they are written in place."""
    if layer.data.shape != content.data.shape:
        return False
    if moment.outcome is None:
        renew(layer, content.data, moment)
    else:
        layer.data = content.data
    return True


def set_labels(layer: Layer, content: LayerContent, moment: Moment) -> bool:
    """As ``set_volume``; a finished result is copied, for the user to paint in."""
    if moment.outcome is not None:
        content = replace(content, data=content.data.copy())
    return set_volume(layer, content, moment)


def _map(data: NDArray[Any], colormap: Any, limits: tuple[float, float]) -> LayerContent:
    settings = {
        "colormap": colormap,
        "contrast_limits": limits,
        "blending": BLENDING,
        "rendering": "translucent",
        "opacity": 0.8,
    }
    return LayerContent(data, settings)
