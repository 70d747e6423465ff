"""What the new anatomy is to be: a row for each label, points that are dragged, further targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.sources import note
from napari_drdm.widgets.target_row import ReachedValue, TargetLabel, TargetRow, colour_note

__all__ = ["TargetsPanel"]

#: Labels that get a row of their own.
_MOST = 8
_NO_LABELS = "Without labels, points can be dragged and regions kept still."
_DRAG = (
    "Take a point of the picture and pull it: the anatomy follows (Ctrl+G).\n"
    "Right click or Shift+click: hold a point where it is. Click a point: remove it.\n"
    "Ctrl+Z: undo. Esc while dragging: let go without a change"
)
_FURTHER = (
    "Further targets, separated by semicolons, written as for drdm generate --target:\n"
    "ratio 2/3 x1.2; roundness 3 0.9; place 3 +4,-2,0 mm; still 40:60,30:50,0:10; largest 12 mm"
)


class TargetsPanel(QWidget):
    """Rows, buttons of dragging, and a line for further targets.

    ``changed()``: something else is asked for; ``drag_asked(bool)``: the mode of dragging;
    ``undo_asked()``, ``clear_asked()``: of dragged points; ``reset_asked()``: of everything.

    Attributes:
        rows: by the label's value.
        drag: turns the mode of dragging on and off.
        undo: takes back the last change of points.
        clear: removes all points.
        further: other targets, as text.
        reset: asks for nothing.
    """

    changed = Signal()
    drag_asked = Signal(bool)
    undo_asked = Signal()
    clear_asked = Signal()
    reset_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, TargetRow] = {}
        self._offered: tuple[TargetLabel, ...] | None = None
        self.drag, self.undo = QPushButton("Drag anatomy"), QPushButton("Undo")
        self.clear, self.reset = QPushButton("Clear"), QPushButton("Reset all")
        self.further, self._about = QLineEdit(), note()
        self._points, self._all = MessageLine(), MessageLine()
        self._set_up()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self._column.addWidget(self._about)
        self._column.addLayout(_row(self.drag, self.undo, self.clear, self.reset))
        for widget in (self._points, self.further, self._all):
            self._column.addWidget(widget)
        self.offer(())
        self.show_points(0, 0, False)

    def offer(self, labels: Sequence[TargetLabel]) -> None:
        """A row for each label, the largest where there are many; what is the same stays."""
        if tuple(labels) == self._offered:
            return
        self._offered = tuple(labels)
        for row in self.rows.values():
            self._column.removeWidget(row)
            row.deleteLater()
        largest = sorted(labels, key=lambda label: -label.size)[:_MOST]
        chosen = [label for label in labels if label in largest]
        self.rows = {label.value: TargetRow(label) for label in chosen}
        for place, row in enumerate(self.rows.values()):
            self._column.insertWidget(1 + place, row)
            row.changed.connect(self.changed)
        left = len(labels) - len(chosen)
        many = f"The {_MOST} largest of {len(labels)} labels; others can be named below."
        self._about.setText(_NO_LABELS if not labels else many if left else "")

    def further_texts(self) -> list[str]:
        """The further targets."""
        return [text.strip() for text in self.further.text().split(";") if text.strip()]

    def place_further(self, texts: Sequence[str]) -> None:
        """Show further targets, without a signal."""
        self.further.setText("; ".join(texts))

    def set_dragging(self, on: bool) -> None:
        """Whether points can be dragged now."""
        blocked = self.drag.blockSignals(True)
        self.drag.setChecked(on)
        self.drag.blockSignals(blocked)

    def show_points(
        self, moved: int, held: int, undoable: bool, reached: ReachedValue | None = None
    ) -> None:
        """How many points are pulled and held, and how near they came."""
        counts = ((moved, "pulled"), (held, "held"))
        text = ", ".join(f"{n} point{'s' * (n > 1)} {what}" for n, what in counts if n)
        self._points.setText(f"{text}: {reached.text}" if text and reached else text)
        colour_note(self._points, reached)
        self.undo.setEnabled(undoable)
        self.clear.setEnabled(bool(moved + held))

    def show_reached(
        self,
        sizes: Mapping[int, ReachedValue],
        walls: Mapping[int, ReachedValue],
        whole: ReachedValue | None,
    ) -> None:
        """What a result has of each label's targets, and of all of them; None: no such result."""
        for value, row in self.rows.items():
            row.show_reached(sizes.get(value), walls.get(value))
        self._all.setText(whole.text if whole else "")
        colour_note(self._all, whole)

    def _set_up(self) -> None:
        self.drag.setCheckable(True)
        self.drag.setToolTip(_DRAG)
        self.drag.toggled.connect(self.drag_asked)
        self.undo.setToolTip("Take back the last change of points (Ctrl+Z)")
        self.undo.clicked.connect(self.undo_asked)
        self.clear.setToolTip("Remove all points")
        self.clear.clicked.connect(self.clear_asked)
        self.reset.setToolTip("Ask for nothing: no sizes, no points, no further targets")
        self.reset.clicked.connect(self.reset_asked)
        self.further.setAccessibleName("Further targets")
        self.further.setPlaceholderText("further targets")
        self.further.setToolTip(_FURTHER)
        self.further.editingFinished.connect(self._on_further)
        self._before = ""
        self.further.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _on_further(self) -> None:
        """The text was left or confirmed; nothing is asked where it is the same."""
        if self.further.text() != self._before:
            self._before = self.further.text()
            self.changed.emit()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row
