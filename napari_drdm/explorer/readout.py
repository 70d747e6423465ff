"""Reads the place under the cursor as it moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_drdm.overlays.reading import Reading, place_under, value_at
from napari_drdm.overlays.view import view_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.runs.moments import Moment

__all__ = ["ReadoutController"]

_WAIT_MS = 40


class ReadoutController:
    """Reports what is under the cursor, at most every 40 ms.

    Args:
        viewer: whose cursor it is.
        moment: gives what is shown, or None.
        report: takes a reading, or None, and the spatial axes on the canvas.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        moment: Callable[[], Moment | None],
        report: Callable[[Reading | None, tuple[int, ...]], None],
    ) -> None:
        self._viewer, self._moment, self._report = viewer, moment, report
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self.read)
        dims, removed = viewer.dims.events, viewer.layers.events.removed
        cursor = viewer.cursor.events.position
        self._events = (cursor, dims.point, dims.order, dims.ndisplay, removed)
        for emitter in self._events:
            emitter.connect(self.refresh)

    def refresh(self, event: Any = None) -> None:
        """Read again soon: the cursor, the view or what is shown has changed."""
        if not self._timer.isActive():
            self._timer.start()

    def read(self) -> None:
        """Read now."""
        moment = self._moment()
        if moment is None or moment.request.source not in self._viewer.layers:
            self._report(None, ())
            return
        place = place_under(moment, self._viewer)
        shown = view_of(moment.request.source, self._viewer.dims, moment.spatial_axes).shown
        self._report(None if place is None else value_at(moment, place), shown)

    def close(self) -> None:
        """Stop listening."""
        self._timer.stop()
        for emitter in self._events:
            emitter.disconnect(self.refresh)
