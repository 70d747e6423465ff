"""A window with the explorer, handled as a person does, and clocks for what it shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Meter", "Pictures", "Row", "opened", "pump", "rest", "texture", "wait"]

_TIMEOUT = 240.0
_SETTLED = 0.4


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, and what it should be."""

    name: str
    here: str
    goal: str = ""


class Meter:
    """Gaps of a 10 ms timer, and the part of each that drew the window."""

    def __init__(self, viewer: Any) -> None:
        from qtpy.QtCore import QTimer

        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._tick)
        self.gaps: list[tuple[float, float]] = []
        self._drawn = 0.0
        self._wrap(type(viewer.window._qt_window))

    def start(self) -> None:
        """Forget the gaps so far."""
        self.gaps, self._drawn, self._last = [], 0.0, time.perf_counter()
        self._timer.start()

    def stop(self) -> tuple[float, float]:
        """Longest gap in ms, with and without drawing."""
        self._tick()
        self._timer.stop()
        whole = max(gap for gap, _ in self.gaps)
        return 1000 * whole, 1000 * max(gap - drawn for gap, drawn in self.gaps)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last, self._drawn))
        self._last, self._drawn = now, 0.0

    def _wrap(self, window: Any) -> None:
        """Time the window's repaints, which contain all drawing by OpenGL."""
        from qtpy.QtCore import QEvent

        handle = window.event

        def timed(this: Any, event: Any) -> Any:
            begun = time.perf_counter()
            paints = event.type() == QEvent.Type.UpdateRequest
            answer = handle(this, event)
            self._drawn += (time.perf_counter() - begun) * paints
            return answer

        window.event = timed


class Pictures:
    """Counts moments that reached the screen: shown, and drawn before the next one."""

    def __init__(self, viewer: Any, explorer: Any) -> None:
        self.count, self._shown = 0, False
        explorer.live.shown.connect(self._on_shown)
        viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(self._on_draw)

    def _on_shown(self, moment: Any) -> None:
        self._shown = True

    def _on_draw(self, event: Any) -> None:
        self.count += self._shown
        self._shown = False


@contextmanager
def opened(image: NDArray[Any], model: str = "", ndisplay: int = 2) -> Iterator[tuple[Any, Any]]:
    """A viewer of 1400 x 1000 with an image and its labels, and the explorer, at rest."""
    import napari

    from napari_drdm.explorer.dock import DeformationExplorer

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 1000)
    place: dict[str, Any] = {"scale": (8.0, 1.4, 1.4)[-image.ndim :]}
    place["scale"] = (1.4,) * 3 if image.shape[0] == 128 else place["scale"]
    place["units"] = ("mm",) * image.ndim
    viewer.add_image(image, name="texture", **place)
    labels = (image > np.quantile(image, 0.9)).astype(np.uint8)
    viewer.add_labels(labels, name="texture labels", **place)
    viewer.dims.ndisplay = ndisplay
    explorer = DeformationExplorer(viewer)
    viewer.window.add_dock_widget(explorer, area="right")
    wait(lambda: not explorer.models.loading)
    if Path(model).is_file():
        explorer.models.offer([*explorer.sources.model.values(), _entry(model)], Path(model).stem)
    explorer.options.slider.setValue(26)
    rest(explorer)
    yield viewer, explorer
    viewer.close()
    pump(_SETTLED)


def texture(shape: tuple[int, ...]) -> NDArray[np.int16]:
    """Smooth noise, 0 to 200."""
    noise = np.random.default_rng(0).standard_normal(shape)
    smooth = ndimage.gaussian_filter(noise, [min(5, n / 4) for n in shape])
    scaled: NDArray[np.int16] = (200 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.int16)
    return scaled


def rest(explorer: Any) -> None:
    """Until nothing is computed and everything is drawn."""

    def idle() -> bool:
        live, runner = explorer.live, explorer.runner
        return not (live.waiting or runner.busy or runner.previewing)

    wait(idle)
    pump(_SETTLED)


def wait(ready: Callable[[], bool]) -> None:
    """Process events until something holds."""
    until = time.monotonic() + _TIMEOUT
    while not ready() and time.monotonic() < until:
        pump(0.002)
    if not ready():
        raise SystemExit("error: the window is still busy")


def pump(seconds: float) -> None:
    """Process events for a while."""
    from qtpy.QtWidgets import QApplication

    until = time.perf_counter() + seconds
    while True:
        QApplication.processEvents()
        if time.perf_counter() >= until:
            return
        time.sleep(0.001)


def _entry(model: str) -> Any:
    from src_core.models.checkpoint import read_spec
    from src_core.models.library import ModelEntry

    return ModelEntry(Path(model).stem, Path(model), read_spec(Path(model)), False)
