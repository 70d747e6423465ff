"""A point of the anatomy dragged by the mouse: how soon the picture follows, and is recovered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.window.screen import Row, opened, pump, rest, texture, wait

__all__ = ["pull_rows"]

_MOVES, _PIXELS = 12, 4


def pull_rows() -> Iterator[Row]:
    """A slice and a stack: from a move of the mouse to its picture, from the release to the result.

    Another move comes once the picture of the last one is drawn.
    """
    for name, shape in (("slice 256 x 256", (256, 256)), ("stack of 10 slices", (10, 256, 256))):
        with opened(texture(shape)) as (viewer, explorer):
            explorer.generate()
            rest(explorer)
            moves, recovered = _pull(viewer, explorer)
        here = f"{1000 * median(moves):.0f}"
        yield Row(f"{name}: a point moved to picture, ms", here, "<= 60")
        here = f"{recovered:.1f}"
        yield Row(f"{name}: its release to recovered, s", here, "<= 1")


def _pull(viewer: Any, explorer: Any) -> tuple[list[float], float]:
    """Seconds of each move, and of the recovery."""
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    explorer.targets.drag.click()
    pump(0.3)
    canvas = viewer.window._qt_viewer.canvas
    drawn: list[float] = []
    shown: list[Any] = []
    canvas._scene_canvas.events.draw.connect(lambda _: drawn.append(time.perf_counter()))
    explorer.live.shown.connect(lambda moment: shown.append((time.perf_counter(), moment)))
    at = canvas.native.rect().center()
    QTest.mousePress(canvas.native, Qt.MouseButton.LeftButton, pos=at)
    moves = []
    for _ in range(_MOVES):
        at = at + QPoint(_PIXELS, 0)
        shown.clear()
        begun = time.perf_counter()
        _move(canvas.native, at)
        wait(lambda: bool(shown and drawn) and drawn[-1] > shown[0][0])
        moves.append(next(when for when in drawn if when > shown[0][0]) - begun)
    begun = time.perf_counter()
    QTest.mouseRelease(canvas.native, Qt.MouseButton.LeftButton, pos=at)
    wait(lambda: any(m.position >= m.total > 0 for _, m in shown))
    recovered = time.perf_counter() - begun
    rest(explorer)
    return moves, recovered


def _move(widget: Any, at: Any) -> None:
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPointF(widget.mapToGlobal(at))
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), place, left, left, none)
    QApplication.sendEvent(widget, event)
