"""The scrolling column of a dock's panels."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPoint, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

from napari_drdm.widgets.usable import UsablePanel

__all__ = ["Column"]

_WIDTH = 360
#: Pixels that stay free above and below a control that is scrolled to.
_AROUND = 4
_RESIZING = (QEvent.Type.LayoutRequest, QEvent.Type.Polish, QEvent.Type.Show)


class Column(QScrollArea):
    """Scrolls vertically only: as wide as its content, whatever the theme and scale."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls take the focus
        self.setWidget(inner)
        self.usable = UsablePanel(inner)
        self.usable.mark.reached.connect(self.reveal)

    def reveal(self, widget: QWidget) -> None:
        """Scroll until a widget is seen whole; Qt itself is content with the cursor in it."""
        inner, bar, room = self.widget(), self.verticalScrollBar(), self.viewport()
        if inner is None or bar is None or room is None:
            return
        top = widget.mapTo(inner, QPoint()).y() - _AROUND
        low = top + widget.height() + 2 * _AROUND - room.height()
        bar.setValue(min(max(bar.value(), low), top))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the least width of the widget."""
        bar = self.verticalScrollBar()
        if event and bar and isinstance(watched, QWidget) and event.type() in _RESIZING:
            width = watched.minimumSizeHint().width() + bar.sizeHint().width()
            self.setMinimumWidth(max(_WIDTH, width))
        return super().eventFilter(watched, event)
