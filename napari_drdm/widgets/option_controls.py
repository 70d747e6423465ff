"""Controls for options, made from the pydantic fields that describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from napari_drdm.widgets.layout import form_of
from napari_drdm.widgets.number_boxes import NumberBox, WholeNumberBox
from src_core.errors.options import OptionField

__all__ = ["LARGEST", "LARGEST_INT", "OptionControl", "OptionsForm", "control_of"]

#: The most that a box shows of a number without a bound.
LARGEST, LARGEST_INT = 100_000.0, 2**31 - 1


class OptionControl:
    """A widget for one option; a text form is shown as its text.

    Args:
        option: what it is for.
        widget: what the user handles.
        read: the value that it shows.
        show: shows a value.
        changed: the signal of the widget for another value.
    """

    def __init__(
        self,
        option: OptionField,
        widget: Any,
        read: Callable[[], Any],
        show: Callable[[Any], None],
        changed: Any,
    ) -> None:
        self.option, self.widget, self.value = option, widget, read
        self._show, self.changed = show, changed
        self.place(option.default)
        widget.setToolTip(_tip(option))
        if not isinstance(widget, QCheckBox):  # which has its text
            widget.setAccessibleName(option.label)

    def place(self, value: Any) -> None:
        """Show a value; of an option with a text form also its text."""
        if self.option.text is not None and value is not None and not isinstance(value, str):
            value = self.option.written(value)
        self._show(value)

    def place_silently(self, value: Any) -> None:
        """Show a value without a signal."""
        blocked = self.widget.blockSignals(True)
        self.place(value)
        self.widget.blockSignals(blocked)


def control_of(option: OptionField) -> OptionControl:
    """The control that fits an option."""
    if option.choices:
        return _choice(option)
    makers: dict[type, Callable[[OptionField], OptionControl]] = {
        bool: _tick,
        int: _whole_number,
        float: _number,
    }
    return makers.get(option.kind, _line)(option)


class OptionsForm(QWidget):
    """Controls in rows, one for each option: ``changed`` when a value is another.

    Attributes:
        controls: by the name of their option.
        rows: the layout, for further rows.
    """

    changed = Signal()

    def __init__(self, options: Sequence[OptionField]) -> None:
        super().__init__()
        self.controls = {option.name: control_of(option) for option in options}
        self.rows: QFormLayout = form_of(self)
        for control in self.controls.values():
            label = "" if control.option.kind is bool else control.option.label
            self.rows.addRow(label, control.widget)
            control.changed.connect(lambda *_: self.changed.emit())

    def values(self) -> dict[str, Any]:
        """What the controls show, by the names of the options; text forms as text."""
        return {name: control.value() for name, control in self.controls.items()}

    def place(self, values: Mapping[str, Any]) -> None:
        """Show the values that are there, each with its signal."""
        for name, control in self.controls.items():
            if name in values:
                control.place(values[name])

    def place_silently(self, values: Mapping[str, Any]) -> None:
        """Show the values that are there without a signal."""
        for name, control in self.controls.items():
            if name in values:
                control.place_silently(values[name])


def _choice(option: OptionField) -> OptionControl:
    box = QComboBox()
    for value in option.choices:
        box.addItem(option.display.labels().get(value, value), value)

    def show(value: Any) -> None:
        box.setCurrentIndex(max(0, box.findData(value)))

    return OptionControl(option, box, box.currentData, show, box.currentIndexChanged)


def _tick(option: OptionField) -> OptionControl:
    box = QCheckBox(option.label)
    return OptionControl(option, box, box.isChecked, box.setChecked, box.toggled)


def _whole_number(option: OptionField) -> OptionControl:
    box = WholeNumberBox()
    least = int(option.least or 0)
    box.setRange(least - option.optional, min(option.most or LARGEST_INT, LARGEST_INT))
    return _bounded(option, box, lambda value: min(int(value), LARGEST_INT))


def _number(option: OptionField) -> OptionControl:
    box = NumberBox()
    box.setDecimals(option.display.decimals)
    least, most = option.least or option.above or 0, option.most or LARGEST
    if most - least <= 1:
        box.setSingleStep(0.05)
    if option.optional and None not in (option.least, option.most):  # the least is a value
        least -= 10**-option.display.decimals
    box.setRange(least, most)
    return _bounded(option, box, float)


def _bounded(option: OptionField, box: Any, number: Callable[[Any], Any]) -> OptionControl:
    """A box of numbers, whose lowest means None for an option that may be None."""
    box.setSuffix(f" {option.display.unit}" if option.display.unit else "")
    box.setSpecialValueText(option.display.none if option.optional else "")

    def read() -> Any:
        none = option.optional and box.value() == box.minimum()
        return None if none else box.value()

    def show(value: Any) -> None:
        box.setValue(box.minimum() if value is None else number(value))

    return OptionControl(option, box, read, show, box.valueChanged)


def _line(option: OptionField) -> OptionControl:
    line = QLineEdit()
    line.setPlaceholderText(option.display.none)

    def read() -> Any:
        text = line.text().strip()
        return None if option.optional and not text else text

    def show(value: Any) -> None:
        line.setText("" if value is None else str(value))

    return OptionControl(option, line, read, show, line.textChanged)


def _tip(option: OptionField) -> str:
    """The help of an option, and how it is written where that is a form of its own."""
    return f"{option.help}\n{option.range}" if option.text is not None else option.help
