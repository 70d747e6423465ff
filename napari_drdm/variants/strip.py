"""One row of named pictures that scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

__all__ = ["IMAGE_ROLE", "Strip"]

_ICON, _CELL, _HEIGHT = QSize(60, 60), QSize(80, 84), 104
_AROUND, _WIDEST = 14, 170
#: The name of a result's image, in a second line of its caption.
IMAGE_ROLE = Qt.ItemDataRole.UserRole + 1


class _TwoLines(QStyledItemDelegate):
    """Draws the name of an item and below it that of its image; only the name is edited."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """Add the second line, shortened to the width of the cell."""
        super().initStyleOption(option, index)
        image = index.data(IMAGE_ROLE)
        if option is not None and image:
            width = option.rect.width() - _AROUND
            short = option.fontMetrics.elidedText(image, Qt.TextElideMode.ElideMiddle, width)
            option.text = f"{option.text}\N{LINE SEPARATOR}{short}"


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
        self.setItemDelegate(_TwoLines(self))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Results so far")
        self.setToolTip("Click: show it again. Ctrl+click: choose a second to compare with")

    def fit(self, names: Iterable[str], two_lines: bool = False) -> None:
        """Make the cells as wide as the longest name, within bounds; a longer one ends in dots.

        Args:
            two_lines: below a name stands that of its image.
        """
        longest = max((self.fontMetrics().horizontalAdvance(n) for n in names), default=0)
        width = min(max(_CELL.width(), longest + _AROUND), _WIDEST)
        more = self.fontMetrics().lineSpacing() if two_lines else 0
        cell = QSize(width, _CELL.height() + more)
        if cell != self.gridSize():
            self.setGridSize(cell)
            self.setFixedHeight(_HEIGHT + more)
            for item in self.items_shown():
                item.setSizeHint(cell)

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
