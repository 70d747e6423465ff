"""Our docks share one place, as tabs: side by side each would be too narrow to read."""

from __future__ import annotations

from contextlib import suppress

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

__all__ = ["OURS", "share_place"]

#: Name of what our docks hold.
OURS = "drdm dock"


def share_place(widget: QWidget) -> None:
    """Put the dock of a widget over another of ours in the same area, as a tab."""
    with suppress(RuntimeError):  # closed meanwhile
        own, window = _dock_of(widget), widget.window()
        if own is None or not isinstance(window, QMainWindow):
            return
        area = window.dockWidgetArea(own)
        for other in window.findChildren(QDockWidget):
            ours = other is not own and other.findChild(QWidget, OURS) is not None
            beside = ours and not other.isFloating() and window.dockWidgetArea(other) == area
            if beside and other not in window.tabifiedDockWidgets(own):
                window.tabifyDockWidget(other, own)
                own.raise_()


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent
