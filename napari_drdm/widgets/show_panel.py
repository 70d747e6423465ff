"""What of a result is shown, and how its overlays are drawn."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_drdm.overlays import ARROWS, Style
from napari_drdm.widgets.sources import note

__all__ = ["ShowPanel"]

_KINDS = {
    "image": ("warped image", "The new image"),
    "labels": ("labels", "The labels, carried along"),
    "arrows": ("arrows", "Each place in the new image and where its tissue came from, in mm"),
    "grid": ("grid", "Lines that were straight in the source; they move with the tissue"),
    "contours": ("contours", "Outlines of the labels as they were in the source"),
    "magnitude": ("displacement", "How far each place was moved"),
    "Jacobian": (
        "Jacobian",
        "Determinant. Blue, below 1: tissue grew; orange: it shrank; magenta: a fold",
    ),
}
_STEP = 100  # arrows
_LONGEST = 5


class ShowPanel(QWidget):
    """``changed(set)`` with the kinds that are ticked, ``styled(Style)`` when drawing changes."""

    changed = Signal(object)
    styled = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._limit: float | None = None
        self.legend = note()
        self.boxes = {kind: QCheckBox(name) for kind, (name, _) in _KINDS.items()}
        self.density, self.lines = _slider(1, ARROWS // _STEP), _slider(8, 64)
        self.length, self.direction = QComboBox(), QComboBox()
        self._set_up()
        self._lay_out()
        self.set_drawing(Style())
        self._enable()

    def kinds(self) -> set[str]:
        """The kinds that are ticked."""
        return {kind for kind, box in self.boxes.items() if box.isChecked()}

    def set_kinds(self, kinds: Iterable[str]) -> None:
        """Tick these kinds and no others; tells it once."""
        wanted = set(kinds)
        for kind, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(kind in wanted)
            box.blockSignals(False)
        self._on_ticks()

    def drawing(self) -> Style:
        """How overlays are to be drawn."""
        return Style(
            arrows=self.density.value() * _STEP,
            scale=float(self.length.currentData()),
            goes=bool(self.direction.currentData()),
            lines=self.lines.value(),
        )

    def set_drawing(self, style: Style) -> None:
        """Put the controls where a style wants them; tells it once."""
        controls = (self.density, self.lines, self.length, self.direction)
        for control in controls:
            control.blockSignals(True)
        self.density.setValue(round(style.arrows / _STEP))
        self.lines.setValue(style.lines)
        self.length.setCurrentIndex(max(0, self.length.findData(round(style.scale))))
        self.direction.setCurrentIndex(int(style.goes))
        for control in controls:
            control.blockSignals(False)
        self.styled.emit(self.drawing())

    def set_legend(self, longest_mm: float | None) -> None:
        """What the colours of the ticked overlays mean; None while there is no result."""
        self._limit = longest_mm
        end = f"{longest_mm or 0:.0f} mm or more"
        lines = {
            "arrows": f"arrows: 0 mm blue, {end} red",
            "magnitude": f"displacement: 0 mm clear, {end} yellow",
            "Jacobian": "det J: 1/4 or less blue, 1 clear, 4 or more orange, folds magenta",
        }
        told = [text for kind, text in lines.items() if kind in self.kinds()]
        self.legend.setText("" if longest_mm is None else "\n".join(told))

    def _set_up(self) -> None:
        for kind, box in self.boxes.items():
            box.setToolTip(_KINDS[kind][1])
            box.setChecked(kind in ("image", "labels"))
            box.toggled.connect(self._on_ticks)
        for times in range(1, _LONGEST + 1):
            self.length.addItem(f"{times}×", times)
        self.direction.addItem("from where", False)
        self.direction.addItem("to where", True)
        self.density.setToolTip("How many arrows, 2,000 at most")
        self.lines.setToolTip("How many lines the grid has along the longest side")
        self.length.setToolTip(
            "Arrows as long as the displacement, or longer; "
            "those that would leave the image are left out"
        )
        self.direction.setToolTip(
            "Arrows start in the new image and lead to where its tissue came from, "
            "or start there and lead to where it went"
        )
        for slider in (self.density, self.lines):
            slider.valueChanged.connect(self._on_drawing)
        for choice in (self.length, self.direction):
            choice.currentIndexChanged.connect(self._on_drawing)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        b = self.boxes
        column.addLayout(_row(b["image"], b["labels"], b["contours"], last=QWidget()))
        column.addLayout(_row(b["Jacobian"], b["magnitude"], b["grid"], last=self.lines))
        row = _row(b["arrows"], last=self.density)
        row.addWidget(self.length)
        row.addWidget(self.direction)
        column.addLayout(row)
        column.addWidget(self.legend)

    def _on_ticks(self, _: object = None) -> None:
        self._enable()
        self.set_legend(self._limit)
        self.changed.emit(self.kinds())

    def _on_drawing(self, _: object = None) -> None:
        self.styled.emit(self.drawing())

    def _enable(self) -> None:
        arrows, grid = self.boxes["arrows"].isChecked(), self.boxes["grid"].isChecked()
        for control in (self.density, self.length, self.direction):
            control.setEnabled(arrows)
        self.lines.setEnabled(grid)


def _slider(lowest: int, highest: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(lowest, highest)
    return slider


def _row(*widgets: QWidget, last: QWidget) -> QHBoxLayout:
    """Widgets beside each other; the last takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget)
    row.addWidget(last, 1)
    return row
