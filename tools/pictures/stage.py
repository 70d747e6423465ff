"""A window with the explorer in it, the controls a person would use, and pictures of it all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from pictures.hand import click, drag, hold, rest, until
from src_core.drawing.animation import palette

__all__ = ["Stage", "save"]

_SIZE = (1400, 1000)
_MOST_BYTES = 250_000
#: In the phantom's left ventricle, voxels along y and x.
_HEART = (112, 100)


class Stage:
    """One viewer, opened for a scene and closed after it.

    Attributes:
        viewer: napari's.
        explorer: the deformation explorer, once ``explore`` opened it.

    Args:
        folder: of the pictures.
        theme: dark or light.
    """

    def __init__(self, folder: Path, theme: str) -> None:
        self.folder = folder
        self.viewer = napari.Viewer(title="napari-drdm", show=True)
        self.viewer.theme = theme
        self.viewer.window.resize(*_SIZE)
        self.explorer: Any = None
        rest(0.5)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.viewer.close()
        rest(0.3)

    def explore(self) -> None:
        """Open the explorer, and wait until it offers its models."""
        window = self.viewer.window
        _, self.explorer = window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
        until(lambda: self.explorer.sources.model.value() is not None, "models")
        rest(0.5)
        self.home()

    def settle(self) -> None:
        """Wait until nothing is computed."""
        runner, live, seeds = self.explorer.runner, self.explorer.live, self.explorer.variants.seeds
        rest(0.2)
        until(lambda: not (live.waiting or runner.busy or runner.previewing or seeds.busy), "a run")
        rest(0.5)

    def tick(self, kinds: Iterable[str]) -> None:
        """Click the boxes of the Show section until these are ticked and no others."""
        wanted = set(kinds)
        for kind, box in self.explorer.show_panel.boxes.items():
            if box.isChecked() is not (kind in wanted):
                click(box)
        self.settle()

    def unfold(self, title: str, opened: bool = True) -> None:
        """Open or close a section by its header."""
        section = self.explorer.sections[title]
        if section.opened is not opened:
            click(section.header)
            rest(0.3)

    def deform(self, level: int) -> None:
        """Drag the level there, and wait for the result."""
        drag(self.explorer.options.slider, level)
        self.settle()

    def home(self) -> None:
        """Let all of the layers be seen."""
        click(self.viewer.window._qt_viewer.viewerButtons.resetViewButton)
        rest(0.3)

    def canvas(self) -> QWidget:
        """The widget that napari draws in."""
        return self.viewer.window._qt_viewer.canvas.native

    def point(self, layer: Any, voxel: Iterable[float]) -> QPoint:
        """Where a voxel's middle lies on the canvas, in a 2D view."""
        world = np.asarray(layer.data_to_world(tuple(voxel)))[list(self.viewer.dims.displayed)]
        camera, middle = self.viewer.scene.camera, self.canvas().rect().center()
        dy, dx = (world - np.asarray(camera.center)[-2:]) * camera.zoom
        return QPoint(round(middle.x() + dx), round(middle.y() + dy))

    def hover(self) -> None:
        """Bring the mouse over the heart."""
        QTest.mouseMove(self.canvas(), self.canvas().rect().center())
        rest(0.1)
        image = self.viewer.layers["phantom"]
        place = (*self.viewer.dims.current_step[: image.ndim - 2], *_HEART)
        QTest.mouseMove(self.canvas(), self.point(image, place))
        rest(0.4)

    def box(self, layer: Any, start: Iterable[float], end: Iterable[float]) -> None:
        """Drag from one voxel to another."""
        here, there = self.point(layer, start), self.point(layer, end)
        hold(self.canvas(), here)
        for part in range(1, 11):
            QTest.mouseMove(self.canvas(), here + (there - here) * part / 10)
            rest(0.05)
        hold(self.canvas(), there, False)

    def shoot(self, name: str, over: QWidget | None = None, after: float = 0.6) -> Path:
        """Save the window after some seconds, with a dialog over its middle where there is one."""
        rest(after)
        window = self.viewer.window
        pixels = np.asarray(window.screenshot(flash=False, canvas_only=False))[..., :3]
        if over is not None:
            pixels = _with(pixels, _pixels(over))
        return save(pixels, self.folder / f"{name}.png")


def save(pixels: Any, path: Path) -> Path:
    """Write a PNG of few colours, of as many as fit into its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    for colours in (256, 192, 128, 96, 64):
        shades = palette(pixels, colours)
        image.quantize(palette=shades, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= _MOST_BYTES:
            break
    print(path, path.stat().st_size // 1000, "KB", colours, "colours", flush=True)
    return path


def _pixels(widget: QWidget) -> Any:
    grabbed = widget.grab().toImage()
    grabbed = grabbed.convertToFormat(grabbed.Format.Format_RGBA8888)
    height, width = grabbed.height(), grabbed.width()
    held = grabbed.constBits()
    flat = np.frombuffer(held.asstring(4 * height * width) if hasattr(held, "asstring") else held,
                         np.uint8)  # fmt: skip
    return flat.reshape(height, width, 4)[..., :3].copy()  # the image goes with this call


def _with(pixels: Any, dialog: Any) -> Any:
    """A dialog in a thin frame, over the middle of a picture that is darkened a little."""
    whole = (pixels * 0.6).astype(np.uint8)
    framed = np.pad(dialog, ((1, 1), (1, 1), (0, 0)), constant_values=128)
    top, left = ((a - b) // 2 for a, b in zip(whole.shape[:2], framed.shape[:2], strict=True))
    whole[top : top + framed.shape[0], left : left + framed.shape[1]] = framed
    return whole
