"""The region of interest: a shapes layer that the user draws in, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_drdm.messages import error_line
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from napari.layers import Shapes

    from napari_drdm.widgets.controls import MorePanel

__all__ = ["RegionDrawing"]


class RegionDrawing(QObject):
    """``changed()``: the chosen region is another; ``failed(str)``: why there is none.

    Args:
        more: the panel in which a region is chosen and asked for.
        add: adds a shapes layer over the image, or raises a DRDMError.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, more: MorePanel, add: Callable[[], Shapes]) -> None:
        super().__init__(more)
        self._more, self._add = more, add
        more.region_asked.connect(self._draw)

    def _draw(self) -> None:
        try:
            shapes = self._add()
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return
        shapes.events.data.connect(self._on_data)
        self._more.region.pick(shapes)

    def _on_data(self, event: Any = None) -> None:
        if self._more.region.value() is event.source:
            self.changed.emit()
