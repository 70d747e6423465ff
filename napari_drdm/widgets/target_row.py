"""What one label is to be: its size, whether it is held, and how thick it is where it is a wall."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QWidget

from napari_drdm.widgets.optional_slider import FACTORS, MILLIMETRES, OptionalSlider

__all__ = ["ReachedValue", "TargetLabel", "TargetRow", "colour_note"]

_WITHIN, _OUTSIDE = "#2e9d5f", "#d0722c"
#: Width of a name, pixels; a longer one is whole in its tooltip.
_NAME = 62


@dataclass(frozen=True)
class TargetLabel:
    """A label on offer.

    Attributes:
        value: of the label.
        name: in words.
        size: in the source, in ``unit``.
        unit: of sizes, such as ml or mm².
        wall_mm: how thick it is, where it encloses another label.
        length: unit of lengths.
        flat: of a single slice, whose areas are shown.
        measured: how the wall is: in the plane of each slice, or in space.
    """

    value: int
    name: str
    size: float
    unit: str
    wall_mm: float | None = None
    length: str = "mm"
    flat: bool = False
    measured: str = ""


@dataclass(frozen=True)
class ReachedValue:
    """What a result has of a target: in words, and whether it is within tolerance."""

    text: str
    within: bool


def colour_note(label: QLabel, reached: ReachedValue | None) -> None:
    """Give a text about a target its colour."""
    style = ""
    if reached is not None:
        style = f"QLabel {{ color: {_WITHIN if reached.within else _OUTSIDE}; }}"
    if style != label.styleSheet():  # each setting costs the window a frame
        label.setStyleSheet(style)


class TargetRow(QWidget):
    """``changed()``: something else is asked for.

    Attributes:
        label: that it is about.
        factor: size, times the source's.
        hold: size and place as in the source.
        wall: thicker or thinner, mm; None where it is no wall.

    Args:
        label: that it is about.
    """

    changed = Signal()

    def __init__(self, label: TargetLabel) -> None:
        super().__init__()
        self.label = label
        self.factor = OptionalSlider(FACTORS, f"Size of {label.name}, times the source's", self)
        self.hold = QCheckBox("hold")
        self.hold.setAccessibleName(f"Hold {label.name}")
        self.hold.setToolTip(f"Keep size and place of {label.name} as in the source")
        self.wall: OptionalSlider | None = None
        self._size_note, self._wall_note = _note(), _note()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        _fill(grid, 0, _name(label.name), self.factor, self.hold)
        grid.addWidget(self._size_note, 1, 0, 1, 5)
        if label.wall_mm is not None:
            tip = f"How much thicker the wall {label.name} is to be, {label.length}"
            self.wall = OptionalSlider(replace(MILLIMETRES, suffix=f" {label.length}"), tip, self)
            _fill(grid, 2, _name("wall"), self.wall)
            grid.addWidget(self._wall_note, 3, 0, 1, 5)
            self.wall.changed.connect(self._on_change)
        self.factor.changed.connect(self._on_change)
        self.hold.toggled.connect(self._on_hold)
        self.show_reached(None, None)

    @property
    def free(self) -> bool:
        """Whether nothing is asked for."""
        wall = None if self.wall is None else self.wall.value()
        return self.factor.value() is None and wall is None and not self.hold.isChecked()

    def place(self, size: float | None, hold: bool, wall: float | None) -> None:
        """Show what is asked for, without a signal."""
        blocked = self.blockSignals(True)
        self.factor.place(size)
        self.hold.setChecked(hold)
        if self.wall is not None:
            self.wall.place(wall)
        self.factor.set_enabled(not hold)
        self.blockSignals(blocked)

    def show_reached(self, size: ReachedValue | None, wall: ReachedValue | None) -> None:
        """What a result has; None: there is no result of what is asked for."""
        label = self.label
        _show(self._size_note, f"source {label.size:.3g} {label.unit}", size)
        if label.wall_mm is not None:
            text = f"source {label.wall_mm:.3g} {label.length} {label.measured}".rstrip()
            _show(self._wall_note, text, wall)

    def note(self, wall: bool = False) -> str:
        """The text below a slider."""
        return (self._wall_note if wall else self._size_note).text()

    def _on_change(self) -> None:
        self.show_reached(None, None)
        self.changed.emit()

    def _on_hold(self, held: bool) -> None:
        """A label that is held has no other size."""
        if held:
            self.factor.place(None)
        self.factor.set_enabled(not held)
        self._on_change()


def _fill(
    grid: QGridLayout, row: int, name: QLabel, value: OptionalSlider, hold: QWidget | None = None
) -> None:
    grid.addWidget(name, row, 0)
    grid.addWidget(value.slider, row, 1)
    grid.addWidget(value.box, row, 2)
    grid.addWidget(value.reset, row, 3)
    if hold is not None:
        grid.addWidget(hold, row, 4)


def _name(text: str) -> QLabel:
    label = QLabel(text)
    label.setFixedWidth(_NAME)
    label.setToolTip(text)
    return label


def _note() -> QLabel:
    note = QLabel()
    note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return note


def _show(note: QLabel, now: str, reached: ReachedValue | None) -> None:
    note.setText(now if reached is None else f"{now}, {reached.text}")
    note.setToolTip(note.text())
    colour_note(note, reached)
