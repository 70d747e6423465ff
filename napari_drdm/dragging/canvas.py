"""The one place that reaches into napari's window: its canvas as a widget and as a vispy scene.

napari has no public way to draw on the canvas without a layer. Where a version keeps these parts
elsewhere, there are no marks and no shortcuts on the canvas; dragging works without them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

__all__ = ["CanvasAccess", "canvas_of"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class CanvasAccess:
    """A viewer's canvas.

    Attributes:
        scene: the vispy node whose coordinates are (x, y) of the displayed world axes.
        widget: the widget that has the keyboard while the mouse is over the picture.
    """

    scene: Any
    widget: QWidget


def canvas_of(viewer: ViewerModel) -> CanvasAccess | None:
    """The canvas of a viewer; None without a window, or where napari keeps it elsewhere."""
    whole = getattr(viewer, "__wrapped__", viewer)  # plugins get a proxy of public parts
    window = getattr(whole, "window", None)
    try:
        canvas = window._qt_viewer.canvas  # type: ignore[union-attr]
        return CanvasAccess(canvas.view.scene, canvas.native)
    except AttributeError:
        if window is not None:
            _log.warning("this version of napari keeps its canvas elsewhere: points have no marks")
        return None
