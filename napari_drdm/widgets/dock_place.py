"""Our docks share one place, as tabs, and come to the front when they are opened.

Side by side each would be too narrow to read.
"""

from __future__ import annotations

from contextlib import suppress

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

__all__ = ["OURS", "share_place"]

#: Name of what our docks hold.
OURS = "drdm dock"


def share_place(widget: QWidget) -> None:
    """Put the dock of a widget over another of ours in the same area, as a tab, and in front."""
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
        if own.findChild(_ToFront) is None:
            _ToFront(own)


class _ToFront(QObject):
    """Brings a dock to the front when it is shown.

    napari's menu shows a hidden dock and hides any other, one behind a tab too, where a person
    who asks for it wants to see it. Behind a tab there is no way to close a dock but that menu.
    """

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock, self._covered = dock, False
        dock.installEventFilter(self)
        dock.visibilityChanged.connect(self._on_visibility)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Raise the dock when it is shown, and where it was hidden from behind."""
        kind = event.type() if event is not None else None
        if kind == QEvent.Type.Hide and self._covered and self._dock.isHidden():
            QTimer.singleShot(0, self._show)
        elif kind == QEvent.Type.ShowToParent:
            QTimer.singleShot(0, self._raise)
        return False

    def _on_visibility(self, visible: bool) -> None:
        self._covered = not visible and self._dock.isVisible()

    def _show(self) -> None:
        with suppress(RuntimeError):
            window, nowhere = self._dock.window(), Qt.DockWidgetArea.NoDockWidgetArea
            if isinstance(window, QMainWindow) and window.dockWidgetArea(self._dock) != nowhere:
                self._dock.show()

    def _raise(self) -> None:
        with suppress(RuntimeError):
            if not self._dock.isHidden():
                self._dock.raise_()


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent
