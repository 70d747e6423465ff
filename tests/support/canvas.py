"""The mouse on a viewer's canvas: real events at the places of voxels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

__all__ = ["canvas", "click", "drag", "key", "move", "point", "press", "release"]

_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def canvas(viewer: Any) -> QWidget:
    """The widget that napari draws in."""
    return getattr(viewer, "__wrapped__", viewer).window._qt_viewer.canvas.native


def point(viewer: Any, layer: Any, voxel: Iterable[float]) -> QPoint:
    """Where a voxel of a layer lies on the canvas, in a 2D view."""
    world = np.asarray(layer.data_to_world(tuple(voxel)))[list(viewer.dims.displayed)]
    camera, middle = viewer.scene.camera, canvas(viewer).rect().center()
    dy, dx = (world - np.asarray(camera.center)[-2:]) * camera.zoom
    return QPoint(round(middle.x() + dx), round(middle.y() + dy))


def press(viewer: Any, at: QPoint, button: Any = _LEFT, modifier: Any = _NONE) -> None:
    """Press a button."""
    QTest.mousePress(canvas(viewer), button, modifier, at)
    QApplication.processEvents()


def move(viewer: Any, start: QPoint, end: QPoint, steps: int = 8, wait: int = 12) -> None:
    """Move with a button down; napari takes a move every 5 ms at most."""
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent

    widget = canvas(viewer)
    for step in range(1, steps + 1):
        at = QPointF(start + (end - start) * step / steps)
        place = QPointF(widget.mapToGlobal(at.toPoint()))
        event = QMouseEvent(QEvent.Type.MouseMove, at, place, _LEFT, _LEFT, _NONE)
        QApplication.sendEvent(widget, event)
        QTest.qWait(wait)


def release(viewer: Any, at: QPoint, button: Any = _LEFT, modifier: Any = _NONE) -> None:
    """Let a button go."""
    QTest.mouseRelease(canvas(viewer), button, modifier, at)
    QApplication.processEvents()


def drag(viewer: Any, start: QPoint, end: QPoint, steps: int = 8) -> None:
    """Press, move, let go."""
    press(viewer, start)
    move(viewer, start, end, steps)
    release(viewer, end)


def click(viewer: Any, at: QPoint, button: Any = _LEFT, modifier: Any = _NONE) -> None:
    """Press and let go in one place."""
    press(viewer, at, button, modifier)
    release(viewer, at, button, modifier)


def key(viewer: Any, which: Any, modifier: Any = _NONE) -> None:
    """One key while the canvas has the focus."""
    canvas(viewer).setFocus()
    QApplication.processEvents()
    QTest.keyClick(canvas(viewer), which, modifier)
    QApplication.processEvents()
