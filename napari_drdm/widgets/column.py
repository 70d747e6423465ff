"""The scrolling column of a dock's panels."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

__all__ = ["Column"]

_WIDTH = 360
_RESIZING = (QEvent.Type.LayoutRequest, QEvent.Type.Polish, QEvent.Type.Show)
_RESIZING = (QEvent.Type.LayoutRequest, QEvent.Type.Polish, QEvent.Type.Show)


class Column(QScrollArea):
    """Scrolls vertically only: as wide as its content, whatever the theme and scale."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the least width of the widget."""
        bar = self.verticalScrollBar()
        if event and bar and isinstance(watched, QWidget) and event.type() in _RESIZING:
            width = watched.minimumSizeHint().width() + bar.sizeHint().width()
            self.setMinimumWidth(max(_WIDTH, width))
        return super().eventFilter(watched, event)
