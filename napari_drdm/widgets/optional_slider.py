"""A slider with a box for a value that may also be left free."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QObject, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QPushButton, QSlider

from napari_drdm.widgets.number_boxes import NumberBox

__all__ = ["FACTORS", "MILLIMETRES", "OptionalSlider", "Scale"]

#: Pixels of a box beside its slider, so that the last digit is seen.
_BOX = 118


@dataclass(frozen=True)
class Scale:
    """Values of a slider.

    Attributes:
        low: the least value.
        high: the largest one.
        neutral: where the slider stands while the value is free.
        step: of the box.
        decimals: of the box.
        prefix: before the number.
        suffix: after it.
        stops: of the slider on each side of the middle.
        value: of a stop, -``stops`` to ``stops``.
        stop: of a value.
    """

    low: float
    high: float
    neutral: float
    step: float
    decimals: int
    prefix: str
    suffix: str
    stops: int
    value: Callable[[int], float]
    stop: Callable[[float], float]


#: Half to twice, by equal ratios.
FACTORS = Scale(
    0.5, 2.0, 1.0, 0.05, 2, "×", "", 100, lambda at: 2 ** (at / 100), lambda x: 100 * math.log2(x)
)
#: 5 mm thinner to 5 mm thicker.
MILLIMETRES = Scale(-5.0, 5.0, 0.0, 0.5, 1, "", " mm", 50, lambda at: at / 10, lambda x: 10 * x)


class OptionalSlider(QObject):
    """``changed()`` when the value is another; None is free, which ``reset`` chooses.

    Attributes:
        slider: in stops of the scale.
        box: the value; its lowest is free.
        reset: makes it free.

    Args:
        scale: of the values.
        tip: what the value is.
    """

    changed = Signal()

    def __init__(self, scale: Scale, tip: str, parent: QObject) -> None:
        super().__init__(parent)
        self._scale = scale
        self.slider, self.box = QSlider(Qt.Orientation.Horizontal), NumberBox()
        self.reset = QPushButton("↺")
        self.slider.setRange(-scale.stops, scale.stops)
        self.slider.setPageStep(scale.stops // 10)
        self.slider.setMinimumWidth(60)
        self.box.setDecimals(scale.decimals)
        self.box.setSingleStep(scale.step)
        self.box.setRange(scale.low - scale.step, scale.high)
        self.box.setPrefix(scale.prefix)
        self.box.setSuffix(scale.suffix)
        self.box.setSpecialValueText("free")
        self.box.setKeyboardTracking(False)
        self.box.setFixedWidth(_BOX)
        self.reset.setMaximumWidth(28)
        self.reset.setToolTip("Leave it free")
        self.reset.setAccessibleName(f"Leave free: {tip}")
        for widget in (self.slider, self.box):
            widget.setToolTip(tip)
            widget.setAccessibleName(tip)
        self.slider.valueChanged.connect(lambda at: self.box.setValue(scale.value(at)))
        self.box.valueChanged.connect(self._on_box)
        self.reset.clicked.connect(lambda: self.box.setValue(self.box.minimum()))
        self.place(None)

    def value(self) -> float | None:
        """The value, rounded as the box shows it; None where it is free."""
        value, scale = self.box.value(), self._scale
        if value <= self.box.minimum():
            return None
        return round(max(value, scale.low), scale.decimals)

    def place(self, value: float | None) -> None:
        """Show a value without a signal."""
        with QSignalBlocker(self.box):
            self.box.setValue(self.box.minimum() if value is None else value)
        self._follow()

    def set_enabled(self, enabled: bool) -> None:
        """Whether it can be used."""
        for widget in (self.slider, self.box):
            widget.setEnabled(enabled)
        self.reset.setEnabled(enabled and self.value() is not None)

    def _on_box(self) -> None:
        if self.box.minimum() < self.box.value() < self._scale.low:
            step_down = self.value() is not None
            with QSignalBlocker(self.box):
                self.box.setValue(self._scale.low if step_down else self.box.minimum())
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        """Put the slider where the value is."""
        value, scale = self.value(), self._scale
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(scale.stop(scale.neutral if value is None else value)))
        self.reset.setEnabled(value is not None)
