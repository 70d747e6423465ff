"""Variety as a slider from 0, which restores organs, to 1, which keeps them as they became."""

from __future__ import annotations

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QPushButton, QSlider

from napari_drdm.widgets.option_controls import control_of
from src_core.errors.options import option_field
from src_core.generation.options import Options

__all__ = ["VarietyRow"]

_STEPS = 100


class VarietyRow(QObject):
    """A slider and a box for one option, and the way back to the model's own value.

    ``changed()`` when the value is another; None is the model's own, where the slider stands then.

    Attributes:
        label: of the row.
        widgets: side by side.
        slider: in hundredths.
        box: the value; its lowest is the model's own.
        reset: chooses the model's own.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._control = control_of(option_field(Options, "variety"))
        self.label, self.box = self._control.option.label, self._control.widget
        self.slider, self.reset = QSlider(Qt.Orientation.Horizontal), QPushButton("↺")
        self.widgets = self.slider, self.box, self.reset
        self._own = 0.0
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 10)
        self.slider.setToolTip(f"{self.box.toolTip()}\n0 restores, 1 keeps")
        self.reset.setToolTip("The model's own variety")
        self.reset.setMaximumWidth(32)
        self.slider.valueChanged.connect(lambda at: self.box.setValue(at / _STEPS))
        self.box.valueChanged.connect(self._on_box)
        self.reset.clicked.connect(lambda: self.box.setValue(self.box.minimum()))
        self._follow()

    def value(self) -> float | None:
        """From 0 to 1; None for the model's own."""
        value: float | None = self._control.value()
        return value

    def place(self, value: float | None) -> None:
        """Show a value without a signal."""
        self._control.place_silently(value)
        self._follow()

    def set_own(self, own: float) -> None:
        """The model's own value."""
        self._own = own
        self.box.setSpecialValueText(f"model's: {own:.2f}")
        self._follow()

    def _on_box(self) -> None:
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        """Put the slider where the value is."""
        value = self.value()
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(_STEPS * (self._own if value is None else value)))
        self.slider.blockSignals(blocked)
        self.reset.setEnabled(value is not None)
