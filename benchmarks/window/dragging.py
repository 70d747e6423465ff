"""The level dragged by the mouse: how many pictures come while it moves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.window.screen import Pictures, Row, opened, pump, rest, texture

__all__ = ["drag", "drag_rows"]

_FROM, _TO = 20, 70
_BETWEEN = 0.03


def drag_rows() -> Iterator[Row]:
    """Pictures of a slice and of a stack while the level goes from 20 to 70 in 1.5 s."""
    for name, shape, goal in (
        ("slice 256 x 256", (256, 256), ">= 15"),
        ("stack of 10 slices", (10, 256, 256), ">= 10"),
    ):
        with opened(texture(shape)) as (viewer, explorer):
            explorer.options.slider.setValue(_FROM)
            rest(explorer)
            pictures = Pictures(viewer, explorer)
            seconds = drag(explorer.options.slider, _FROM, _TO, _BETWEEN)
            count = pictures.count
            rest(explorer)
            level = explorer._outcome().result.metrics["level"]
        here = f"{count} in {seconds:.2f} s, {level}"
        yield Row(f"{name}: pictures of a drag, level at its end", here, goal)


def drag(slider: Any, start: int, end: int, between: float) -> float:
    """Press, move and release the mouse on a slider's handle: the seconds until it is released."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    left = Qt.MouseButton.LeftButton
    begun = due = time.perf_counter()
    QTest.mousePress(slider, left, pos=_handle(slider, start))
    for value in range(start + 1, end + 1):
        due += between
        pump(max(due - time.perf_counter(), 0.0))
        QTest.mouseMove(slider, _handle(slider, value))
    QTest.mouseRelease(slider, left, pos=_handle(slider, end))
    return time.perf_counter() - begun


def _handle(slider: Any, value: int) -> Any:
    """Where the middle of the handle is, or would be at another value."""
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QStyle, QStyleOptionSlider

    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    style, control = slider.style(), QStyle.ComplexControl.CC_Slider
    groove = style.subControlRect(control, option, QStyle.SubControl.SC_SliderGroove, slider)
    handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, slider)
    room = groove.width() - handle.width()
    at = QStyle.sliderPositionFromValue(slider.minimum(), slider.maximum(), value, room)
    return QPoint(groove.x() + at + handle.width() // 2, handle.center().y())
