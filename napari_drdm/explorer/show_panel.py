"""What of a result is shown, and how its overlays are drawn: a checkbox for each row of KINDS."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_drdm.layers.field_layers import MOST_ARROWS
from napari_drdm.overlays.kinds import KINDS
from napari_drdm.overlays.overlay import Overlay
from napari_drdm.overlays.style import DrawingStyle
from napari_drdm.widgets.sources import note

__all__ = ["ShowPanel"]

_STEP = 100  # arrows
_LONGEST = 5
_SPOKEN = {
    "arrows": "Number of arrows",
    "scale": "Length of arrows",
    "goes": "Direction of arrows",
    "lines": "Number of grid lines",
}


class ShowPanel(QWidget):
    """``changed(set)`` with the kinds that are ticked, ``styled(DrawingStyle)`` with the style."""

    changed = Signal(object)
    styled = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._limit: float | None = None
        self._unit = "mm"
        self.legend = note()
        self.boxes = {kind: QCheckBox(overlay.label) for kind, overlay in KINDS.items()}
        self.density, self.lines = _slider(1, MOST_ARROWS // _STEP), _slider(8, 64)
        self.length, self.direction = QComboBox(), QComboBox()
        #: By the field of ``DrawingStyle`` that each sets.
        self._controls: dict[str, QSlider | QComboBox] = {
            "arrows": self.density,
            "scale": self.length,
            "goes": self.direction,
            "lines": self.lines,
        }
        self._set_up()
        self._lay_out()
        self.set_drawing(DrawingStyle())
        self._enable()

    def kinds(self) -> set[str]:
        """The kinds that are ticked."""
        return {kind for kind, box in self.boxes.items() if box.isChecked()}

    def set_kinds(self, kinds: Iterable[str]) -> None:
        """Tick these kinds and no others; one signal."""
        wanted = set(kinds)
        for kind, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(kind in wanted)
            box.blockSignals(False)
        self._on_ticks()

    def drawing(self) -> DrawingStyle:
        """How overlays are to be drawn."""
        return DrawingStyle(
            arrows=self.density.value() * _STEP,
            scale=float(self.length.currentData()),
            goes=bool(self.direction.currentData()),
            lines=self.lines.value(),
        )

    def set_drawing(self, style: DrawingStyle) -> None:
        """Put the controls where a style wants them; one signal."""
        for control in self._controls.values():
            control.blockSignals(True)
        self.density.setValue(round(style.arrows / _STEP))
        self.lines.setValue(style.lines)
        self.length.setCurrentIndex(max(0, self.length.findData(round(style.scale))))
        self.direction.setCurrentIndex(int(style.goes))
        for control in self._controls.values():
            control.blockSignals(False)
        self.styled.emit(self.drawing())

    def set_legend(self, longest_mm: float | None, unit: str = "mm") -> None:
        """What the colours of the ticked overlays mean; None while there is no result.

        It takes the same room before the first result, which would otherwise push what is below.
        """
        self._limit, self._unit = longest_mm, unit
        limit = "the longest" if longest_mm is None else f"{longest_mm:.0f} {unit} or more"
        ticked = self.kinds()
        overlays = [o for o in reversed(_by_place()) if o.name in ticked and o.legend]
        lines = [overlay.legend.format(limit=limit) for overlay in overlays]
        self.legend.setText("\n".join(lines))

    def _set_up(self) -> None:
        for kind, box in self.boxes.items():
            box.setToolTip(KINDS[kind].tooltip)
            box.setChecked(KINDS[kind].ticked)
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
        for name, control in self._controls.items():
            control.setAccessibleName(_SPOKEN[name])
            if isinstance(control, QSlider):
                control.valueChanged.connect(self._on_drawing)
            else:
                control.currentIndexChanged.connect(self._on_drawing)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        placed: set[str] = set()
        for _, overlays in groupby(_by_place(), lambda overlay: overlay.place[0]):
            column.addLayout(self._row(overlays, placed))
        column.addWidget(self.legend)

    def _row(self, overlays: Iterable[Overlay], placed: set[str]) -> QHBoxLayout:
        """Checkboxes, each with its controls that are not placed yet; sliders take the room."""
        row, filled = QHBoxLayout(), False
        row.setSpacing(6)
        for overlay in overlays:
            row.addWidget(self.boxes[overlay.name])
            for name in overlay.controls:
                if name not in placed:
                    slider = isinstance(self._controls[name], QSlider)
                    row.addWidget(self._controls[name], int(slider))
                    filled |= slider
            placed.update(overlay.controls)
        if not filled:
            row.addStretch(1)
        return row

    def _on_ticks(self, _: object = None) -> None:
        self._enable()
        self.set_legend(self._limit, self._unit)
        self.changed.emit(self.kinds())

    def _on_drawing(self, _: object = None) -> None:
        self.styled.emit(self.drawing())

    def _enable(self) -> None:
        used = {name for kind in self.kinds() for name in KINDS[kind].controls}
        for name, control in self._controls.items():
            control.setEnabled(name in used)


def _by_place() -> list[Overlay]:
    """The overlays as the panel has them, row by row."""
    return sorted(KINDS.values(), key=lambda overlay: overlay.place)


def _slider(lowest: int, highest: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(lowest, highest)
    return slider
