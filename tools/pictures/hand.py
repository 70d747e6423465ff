"""A hand on mouse and keyboard: real events, sent to widgets as a person would make them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QScrollArea,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

__all__ = ["choose", "click", "drag", "hold", "key", "rest", "spin", "type_file", "until", "write"]

_LEFT = Qt.MouseButton.LeftButton
_PATIENCE = 300.0


def rest(seconds: float = 0.4) -> None:
    """Let the window live for a while."""
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        QApplication.processEvents()
        time.sleep(0.005)


def until(ready: Callable[[], bool], what: str) -> None:
    """Let the window live until something holds.

    Raises:
        TimeoutError: it did not come.
    """
    end = time.monotonic() + _PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        rest(0.02)


def click(widget: QWidget, at: QPoint | None = None, control: bool = False) -> None:
    """Press and let go, where the widget can be seen and is enabled."""
    _reach(widget)
    none, ctrl = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(widget, _LEFT, ctrl if control else none, at or _spot(widget))
    rest(0.05)


def key(widget: QWidget, which: Qt.Key, control: bool = False) -> None:
    """One key, with the focus on a widget."""
    widget.setFocus()
    none, ctrl = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(widget, which, ctrl if control else none)
    rest(0.05)


def write(edit: QLineEdit, text: str) -> None:
    """Replace what a field says, key by key."""
    _reach(edit)
    edit.setFocus()
    QTest.keyClick(edit, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(edit, text)
    rest(0.05)


def spin(box: QSpinBox, value: int) -> None:
    """Type a number."""
    write(box.lineEdit(), str(value))
    key(box, Qt.Key.Key_Return)


def choose(combo: QComboBox, text: str) -> None:
    """Open a list and click the entry that starts with a text."""
    row = combo.findText(text, Qt.MatchFlag.MatchStartsWith)
    if row < 0:
        raise LookupError(f"{text} is not on offer")
    click(combo)
    rest(0.8)  # Qt lets a list be for the time of a double click
    view = combo.view()
    view.scrollTo(view.model().index(row, combo.modelColumn()))
    place = view.visualRect(view.model().index(row, combo.modelColumn())).center()
    QTest.mouseMove(view.viewport(), place)
    QTest.mouseClick(view.viewport(), _LEFT, Qt.KeyboardModifier.NoModifier, place)
    rest(0.3)


def drag(slider: QSlider, value: int, let_go: bool = True, seconds: float = 0.6) -> None:
    """Move a slider's handle to a value, by many small moves."""
    _reach(slider)
    start, end = _handle(slider, slider.value()), _handle(slider, value)
    QTest.mousePress(slider, _LEFT, Qt.KeyboardModifier.NoModifier, start)
    moves = 20
    for move in range(1, moves + 1):
        x = start.x() + (end.x() - start.x()) * move // moves
        QTest.mouseMove(slider, QPoint(x, start.y()))
        rest(seconds / moves)
    if let_go:
        hold(slider, end, False)


def hold(widget: QWidget, at: QPoint | None = None, down: bool = True) -> None:
    """Press the left button, or let it go."""
    act = QTest.mousePress if down else QTest.mouseRelease
    act(widget, _LEFT, Qt.KeyboardModifier.NoModifier, at or widget.rect().center())
    rest(0.05)


def type_file(press: QWidget, path: str) -> None:
    """Press a button that asks for a file, type its path and confirm; no path cancels."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(100, answer)
        elif not path:
            dialog.reject()
        else:
            edit = dialog.findChild(QLineEdit, "fileNameEdit")
            edit.setText(path)
            QTest.keyClick(edit, Qt.Key.Key_Return)

    QTimer.singleShot(300, answer)
    click(press)


def _reach(widget: QWidget) -> None:
    """Scroll to a widget.

    Raises:
        RuntimeError: a person could not use it now.
    """
    above: Any = widget.parent()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(widget)
            rest(0.02)
        above = above.parent()
    if not (widget.isVisible() and widget.isEnabled()):
        raise RuntimeError(f"cannot be used now: {widget.toolTip() or widget}")


def _spot(widget: QWidget) -> QPoint:
    """Where one aims: a box on its mark, anything else in its middle."""
    middle = widget.rect().center()
    return QPoint(8, middle.y()) if widget.metaObject().className() == "QCheckBox" else middle


def _handle(slider: QSlider, value: int) -> QPoint:
    """The middle of the handle, were the slider at a value."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    option.sliderPosition = option.sliderValue = value
    handle = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
    )
    return handle.center()
