"""Results in a row of thumbnails, and what can be done with them; knows no viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QItemSelectionModel, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QGridLayout, QListWidgetItem, QPushButton, QWidget

from napari_drdm.variants.entries import VariantEntry
from napari_drdm.variants.strip import IMAGE_ROLE, Strip
from napari_drdm.widgets.message_line import MessageLine

__all__ = ["VariantsPanel"]

_NUMBER = Qt.ItemDataRole.UserRole
_EMPTY = "Every finished result is kept here."
_PIN, _CHOSEN = QColor("#ff9f1c"), QColor("#3d8bfd")
_TIPS = {
    "pin": "Keep it, with its labels, as layers of their own in the viewer",
    "rename": "Rename it and its layers (F2)",
    "delete": "Delete it and its layers (Del); Undo delete brings it back",
    "blink": "Show two results in turn: the two chosen (Ctrl+click), or the last two shown.\n"
    "Hold B in the list to see the second for as long",
    "difference": "The second minus the first as a layer: blue became darker, orange brighter.\n"
    "Of the two chosen (Ctrl+click), or the last two shown",
    "grid": "Nine seeds of the current level side by side, from the current seed on;\n"
    "press again to cancel or leave",
    "undo": "Bring back what was deleted last, with its layers (Ctrl+Z in the list)",
    "save": "Save images, labels, results and all settings as a folder NAME.drdm, to go on later",
    "open": "Open a folder NAME.drdm: its images, its results and its settings",
}
_WORDS = {"pin": "Pin", "rename": "Rename", "delete": "Delete"}
_WORDS |= {"blink": "A/B", "difference": "Difference", "grid": "3 × 3 seeds"}
_WORDS |= {"undo": "Undo delete", "save": "Save session…", "open": "Open session…"}


class VariantsPanel(QWidget):
    """The row and its buttons.

    Numbers of results travel as lists, the older first. ``chosen(int)``: show it again;
    ``pin_asked(list)``, ``delete_asked(list)``, ``renamed(int, str)``; ``blink_asked(bool, list)``,
    ``held(bool, list)``: B is to be seen for as long; ``difference_asked(list)``;
    ``grid_asked(bool)``; ``undo_asked()`` of a deletion; ``save_asked()``, ``open_asked()``: a
    session.
    """

    chosen = Signal(int)
    pin_asked = Signal(object)
    renamed = Signal(int, str)
    delete_asked = Signal(object)
    blink_asked = Signal(bool, object)
    held = Signal(bool, object)
    difference_asked = Signal(object)
    grid_asked = Signal(bool)
    undo_asked = Signal()
    save_asked = Signal()
    open_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[int, VariantEntry] = {}
        self._possible = True
        self.strip, self.status = Strip(), MessageLine(2, "What the last action did")
        self.buttons = {name: QPushButton(word) for name, word in _WORDS.items()}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._choose)
        self._lay_out()
        self._connect()
        self._enable()

    def offer(self, entries: Sequence[VariantEntry]) -> None:
        """Show these results, the newest first; what was chosen stays so."""
        before, self._entries = self._entries, {entry.number: entry for entry in entries}
        self.strip.blockSignals(True)
        self.strip.fit([e.name for e in entries], any(e.image for e in entries))
        for item in self.strip.items_shown():
            if item.data(_NUMBER) not in self._entries:
                self.strip.takeItem(self.strip.row(item))
        for row, entry in enumerate(entries):
            there = self.strip.item(row)
            if there is None or there.data(_NUMBER) != entry.number:
                item = QListWidgetItem()
                item.setSizeHint(self.strip.gridSize())
                self.strip.insertItem(row, item)
            else:
                item = there
            _update(item, before.get(entry.number), entry)
        self.strip.blockSignals(False)
        self._enable()

    def mark(self, number: int | None) -> None:
        """Select the result that is on view now, and no other one."""
        item = self._item(number)
        self.strip.blockSignals(True)
        if item is None:
            self.strip.clearSelection()
        else:
            self.strip.setCurrentItem(item, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.strip.blockSignals(False)
        self._enable()

    def numbers(self) -> list[int]:
        """The results chosen, the older first."""
        return sorted(item.data(_NUMBER) for item in self.strip.selectedItems())

    def set_blinking(self, on: bool) -> None:
        """Whether two are shown in turn."""
        self._set(self.buttons["blink"], on)

    def set_possible(self, possible: bool) -> None:
        """Whether there is an image to show nine seeds of; they can be left in any case."""
        self._possible = possible
        self._enable_grid()

    def set_grid(self, on: bool) -> None:
        """Whether nine seeds are on view."""
        self._set(self.buttons["grid"], on)
        self._enable_grid()

    def set_undoable(self, there: bool) -> None:
        """Whether something was deleted that can be brought back."""
        self.buttons["undo"].setEnabled(there)

    def _enable_grid(self) -> None:
        grid = self.buttons["grid"]
        grid.setEnabled(self._possible or grid.isChecked())

    def say(self, text: str) -> None:
        """One line about what was done."""
        self.status.setText(text or ("" if self._entries else _EMPTY))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.strip, 0, 0, 1, 3)
        for place, (name, button) in enumerate(self.buttons.items()):
            button.setToolTip(_TIPS[name])
            button.setCheckable(name in ("blink", "grid"))
            grid.addWidget(button, 1 + place // 3, place % 3)
        grid.addWidget(self.status, 1 + len(self.buttons) // 3, 0, 1, 3)
        self.set_undoable(False)

    def _connect(self) -> None:
        strip, buttons = self.strip, self.buttons
        strip.itemSelectionChanged.connect(self._on_selection)
        strip.itemPressed.connect(lambda _: self._soon.start(0))
        strip.itemActivated.connect(lambda _: self._soon.start(0))
        strip.itemChanged.connect(self._on_edit)
        strip.deleted.connect(lambda: self.delete_asked.emit(self.numbers()))
        strip.undone.connect(self.undo_asked)
        strip.held.connect(lambda down: self.held.emit(down, self.numbers()))
        buttons["pin"].clicked.connect(lambda: self.pin_asked.emit(self.numbers()))
        buttons["rename"].clicked.connect(lambda: strip.editItem(strip.selectedItems()[0]))
        buttons["delete"].clicked.connect(lambda: self.delete_asked.emit(self.numbers()))
        buttons["blink"].toggled.connect(lambda on: self.blink_asked.emit(on, self.numbers()))
        buttons["difference"].clicked.connect(lambda: self.difference_asked.emit(self.numbers()))
        buttons["grid"].toggled.connect(self.grid_asked)
        buttons["undo"].clicked.connect(self.undo_asked)
        buttons["save"].clicked.connect(self.save_asked)
        buttons["open"].clicked.connect(self.open_asked)

    def _on_selection(self) -> None:
        self._enable()
        self._soon.start(0)

    def _choose(self) -> None:
        numbers = self.numbers()
        if len(numbers) == 1:
            self.chosen.emit(numbers[0])

    def _on_edit(self, item: QListWidgetItem) -> None:
        number, name = item.data(_NUMBER), item.text().strip()
        if name == self._entries[number].name:
            return
        if name:
            self.renamed.emit(number, name)
        else:
            item.setText(self._entries[number].name)

    def _enable(self) -> None:
        chosen = [self._entries[n] for n in self.numbers() if n in self._entries]
        self.buttons["pin"].setEnabled(bool(chosen))
        self.buttons["delete"].setEnabled(bool(chosen))
        self.buttons["rename"].setEnabled(len(chosen) == 1)
        two = len(self._entries) > 1
        self.buttons["blink"].setEnabled(two or self.buttons["blink"].isChecked())
        self.buttons["difference"].setEnabled(two)
        self.buttons["pin"].setText(_pin_word(chosen))
        if not self._entries or self.status.text() == _EMPTY:
            self.say("")

    def _item(self, number: int | None) -> QListWidgetItem | None:
        items = self.strip.items_shown()
        return next((item for item in items if item.data(_NUMBER) == number), None)

    def _set(self, button: QPushButton, on: bool) -> None:
        button.blockSignals(True)
        button.setChecked(on)
        button.blockSignals(False)
        self._enable()


def _pin_word(chosen: Sequence[VariantEntry]) -> str:
    if not chosen or not all(entry.pinned for entry in chosen):
        return "Pin"
    return "Unpin" if all(entry.standing for entry in chosen) else "Restore"


def _update(item: QListWidgetItem, before: VariantEntry | None, entry: VariantEntry) -> None:
    item.setData(_NUMBER, entry.number)
    item.setText(entry.name)
    item.setData(IMAGE_ROLE, entry.image)
    item.setData(
        Qt.ItemDataRole.AccessibleTextRole, " of ".join(filter(None, (entry.name, entry.image)))
    )
    item.setToolTip(entry.tip)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    new = before is None or before.picture is not entry.picture or before.pinned != entry.pinned
    if new:
        item.setIcon(_icon(entry))


def _icon(entry: VariantEntry) -> QIcon:
    """The thumbnail, with a frame where it is chosen: a tint would change what it shows."""
    plain = _pixmap(entry)
    framed, icon = QPixmap(plain), QIcon(plain)
    painter = QPainter(framed)
    painter.setPen(QPen(_CHOSEN, framed.width() / 10))
    painter.drawRect(framed.rect())
    painter.end()
    icon.addPixmap(framed, QIcon.Mode.Selected)
    return icon


def _pixmap(entry: VariantEntry) -> QPixmap:
    """The thumbnail; a pinned one with its upper right corner folded."""
    data: Any = np.ascontiguousarray(entry.picture)
    height, width, _ = data.shape
    image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    pixmap = QPixmap.fromImage(image)
    if entry.pinned:
        painter, fold = QPainter(pixmap), width / 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PIN)
        corners = ((width - fold, 0), (width, 0), (width, fold))
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
        painter.end()
    return pixmap
