"""Targets by sliders, anatomy dragged by the mouse, and a film of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from pictures.hand import click, drag, rest, until
from pictures.stage import Stage
from src_core.drawing.animation import palette

__all__ = ["Film", "dragging", "targets"]

_SLICE = 4
_LV, _MYOCARDIUM = 3, 2
#: Voxels along y and x: the outer border of the wall, and places that are held.
_TAKEN, _PULLED, _HELD = (132, 78), (141, 69), ((92, 128), (150, 120), (130, 52))
_MIDDLE = (_SLICE, 118, 92)
#: Pixels and colours of the film, and the most bytes.
_SIDE, _COLOURS, _MOST_BYTES = 440, 128, 2_000_000


def targets(stage: Stage, room: Path) -> None:
    """A larger cavity in a thicker wall, and sizes over a few seeds."""
    _begin(stage)
    rows = stage.explorer.targets.rows
    drag(rows[_LV].factor.slider, 38)
    stage.settle()
    drag(rows[_MYOCARDIUM].factor.slider, 20)
    stage.settle()
    stage.hover()
    stage.shoot("14-targets")
    click(stage.explorer.targets.reset)
    stage.settle()
    stage.unfold("Targets", False)
    for title in ("Show", "Metrics"):
        stage.unfold(title, False)
    stage.unfold("Distribution")
    panel = stage.explorer.distribution
    panel.label.setCurrentIndex(panel.label.count() - 1)
    panel.wanted.setValue(6)
    click(panel.search)
    until(lambda: not stage.explorer.sizes.search.busy, "seeds of a size")
    stage.settle()
    stage.shoot("16-distribution", after=1.0)


def dragging(stage: Stage, room: Path) -> None:
    """The wall pulled outwards while two points are held."""
    _begin(stage)
    click(stage.explorer.targets.drag)
    stage.settle()
    image = stage.viewer.layers["phantom"]
    for place in _HELD:
        at = stage.point(image, (_SLICE, *place))
        QTest.mouseClick(stage.canvas(), Qt.MouseButton.RightButton, pos=at)
        stage.settle()
    film = Film(stage)
    start, end = (stage.point(image, (_SLICE, *place)) for place in (_TAKEN, _PULLED))
    film.take(4)
    QTest.mousePress(stage.canvas(), Qt.MouseButton.LeftButton, pos=start)
    for part in range(1, 25):
        _move(stage, start + (end - start) * part / 24)
        rest(0.12)
        film.take()
    stage.shoot("15-drag", after=0.3)
    QTest.mouseRelease(stage.canvas(), Qt.MouseButton.LeftButton, pos=end)
    stage.settle()
    film.take(12)
    film.save(stage.folder / "drag.gif")


class Film:
    """Pictures of the canvas, saved as an animated GIF."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._frames: list[Image.Image] = []

    def take(self, times: int = 1) -> None:
        """Add what the canvas shows, for as many frames."""
        viewer = self._stage.viewer
        pixels = np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3]
        middle = self._stage.point(viewer.layers["phantom"], _MIDDLE)
        top, left = (max(n - _SIDE // 2, 0) for n in (middle.y(), middle.x()))
        square = Image.fromarray(pixels[top : top + _SIDE, left : left + _SIDE])
        self._frames += [square] * times

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            RuntimeError: it is larger than a page should load.
        """
        few: Any = palette(np.concatenate([np.asarray(f) for f in self._frames[::8]]), _COLOURS)
        frames = [f.quantize(palette=few, dither=Image.Dither.NONE) for f in self._frames]
        path.parent.mkdir(parents=True, exist_ok=True)
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=90, loop=0)
        print(path, path.stat().st_size // 1000, "KB", len(frames), "frames", flush=True)
        if path.stat().st_size > _MOST_BYTES:
            raise RuntimeError(f"{path} is larger than {_MOST_BYTES} bytes")


def _begin(stage: Stage) -> None:
    """A first result of the sample, and the section opened."""
    stage.viewer.open_sample("napari-drdm", "volume")
    stage.viewer.dims.set_current_step(stage.viewer.dims.ndim - 3, _SLICE)
    stage.explore()
    stage.settle()
    stage.tick({"image", "labels"})
    click(stage.explorer.run_bar.generate)
    stage.settle()
    stage.unfold("Metrics", False)
    stage.unfold("Targets")
    until(lambda: any(r.wall for r in stage.explorer.targets.rows.values()), "walls")


def _move(stage: Stage, at: QPoint) -> None:
    """A move with the left button down."""
    canvas, left = stage.canvas(), Qt.MouseButton.LeftButton
    place = QPointF(canvas.mapToGlobal(at))
    none = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), place, left, left, none)
    QApplication.sendEvent(canvas, event)
