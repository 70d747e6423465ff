"""One row of named pictures that scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from qtpy.QtWidgets import QListView, QListWidget, QListWidgetItem

__all__ = ["Strip"]

_ICON, _CELL, _HEIGHT = QSize(60, 60), QSize(80, 84), 104
_AROUND, _WIDEST = 14, 170


class Strip(QListWidget):
    """Pictures to choose from; ``deleted()`` at Del, ``undone()`` at Ctrl+Z, ``held(bool)``: B."""

    deleted = Signal()
    undone = Signal()
    held = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._down = False
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListWidget.EditTrigger.EditKeyPressed)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setIconSize(_ICON)
        self.setGridSize(_CELL)
        self.setFixedHeight(_HEIGHT)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Results so far")
        self.setToolTip("Click: show it again. Ctrl+click: choose a second to compare with")

    def fit(self, names: Iterable[str]) -> None:
        """Make the cells as wide as the longest name, within bounds; a longer one ends in dots."""
        longest = max((self.fontMetrics().horizontalAdvance(n) for n in names), default=0)
        width = min(max(_CELL.width(), longest + _AROUND), _WIDEST)
        if width != self.gridSize().width():
            self.setGridSize(QSize(width, _CELL.height()))
            for item in self.items_shown():
                item.setSizeHint(self.gridSize())

    def items_shown(self) -> list[QListWidgetItem]:
        """All items, from left to right."""
        items = (self.item(row) for row in range(self.count()))
        return [item for item in items if item is not None]

    def event(self, event: QEvent | None) -> bool:
        """Ctrl+Z here is not a shortcut of the dock."""
        kind = QEvent.Type.ShortcutOverride
        if not isinstance(event, QKeyEvent) or event.type() != kind:
            return super().event(event)
        if event.matches(QKeySequence.StandardKey.Undo):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Del deletes, B holds; all other keys move about."""
        if event is None:
            return
        if event.key() == Qt.Key.Key_Delete:
            self.deleted.emit()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undone.emit()
        elif event.key() != Qt.Key.Key_B:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._hold(True)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """B was released."""
        if event is None or event.key() != Qt.Key.Key_B:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._hold(False)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """A key released elsewhere is not reported here."""
        self._hold(False)
        super().focusOutEvent(event)

    def _hold(self, down: bool) -> None:
        if down is not self._down:
            self._down = down
            self.held.emit(down)
