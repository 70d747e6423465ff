"""Response of the explorer: from the slider to the image, and the longest freeze of the window.

    xvfb-run -a -s "-screen 0 1400x1000x24" python -m benchmarks.window [--model-3d FILE]

The level is moved on a 2D image of 256 x 256 and on a volume of 128^3, and the times to the new
data are printed. A timer of 10 ms runs meanwhile: its longest gap is printed with and without the
time that the canvas took to draw, which is long on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

__all__ = ["main"]

_LEVELS = (30, 34, 38, 42, 46, 50, 54)
_FEWER = 3
_TIMEOUT = 120.0
_SETTLED = 0.4


class Meter:
    """Gaps of a 10 ms timer, and the part of each that drew the canvas."""

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    chosen = _parser().parse_args(arguments)
    heads = ("random", "recovered", "finished")
    print(f"{'ms, median ≤ largest':22}{''.join(f'{h:>16}' for h in heads)}{'freeze':>8}{'own':>8}")
    for name, image, model, ndisplay in _measurements(chosen.model_3d):
        figures = measure(image, model, ndisplay)
        times = "".join(
            f"{statistics.median(figures[k]):8.0f} ≤ {max(figures[k]):5.0f}" for k in heads
        )
        print(f"{name:22}{times}{figures['freeze'][0]:8.0f}{figures['own'][0]:8.0f}", flush=True)


def measure(image: np.ndarray[Any, Any], model: str, ndisplay: int) -> dict[str, list[float]]:
    """Milliseconds from a move of the slider to each stage of the result; and the freezes."""
    import napari

    from napari_drdm.explorer.dock import DeformationExplorer

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 1000)
    place: dict[str, Any] = {"scale": (1.4,) * image.ndim, "units": ("mm",) * image.ndim}
    viewer.add_image(image, **place)
    viewer.add_labels((image > np.quantile(image, 0.9)).astype(np.uint8), **place)
    viewer.dims.ndisplay = ndisplay
    explorer = DeformationExplorer(viewer)
    viewer.window.add_dock_widget(explorer, area="right")
    _wait(lambda: not explorer.models.loading)
    if Path(model).is_file():
        entries = [explorer.sources.model._values[i] for i in range(explorer.sources.model.count())]
        explorer.models.offer([*entries, _entry(model)], Path(model).stem)
    explorer.options.slider.setValue(26)
    _rest(explorer)
    meter, figures = Meter(viewer), {"random": [], "recovered": [], "finished": []}
    meter.start()
    for level in _LEVELS[: _FEWER if image.ndim == 3 else None]:
        _one(explorer, level, figures)
    figures["freeze"], figures["own"] = ([x] for x in meter.stop())
    viewer.close()
    _pump(_SETTLED)
    return figures


def _one(explorer: Any, level: int, figures: dict[str, list[float]]) -> None:
    seen: dict[str, float] = {}

    def note(moment: Any) -> None:
        now = time.perf_counter()
        if moment.position == 0:
            seen.setdefault("random", now)
        if moment.total and moment.position == moment.total:
            seen.setdefault("recovered", now)
        if moment.outcome is not None:
            seen.setdefault("finished", now)

    explorer.live.shown.connect(note)
    begun = time.perf_counter()
    explorer.options.slider.setValue(level)
    _rest(explorer)
    explorer.live.shown.disconnect(note)
    for name, times in figures.items():
        times.append(1000 * (seen[name] - begun))


def _measurements(model_3d: str) -> list[tuple[str, np.ndarray[Any, Any], str, int]]:
    flat = _texture((256, 256))
    measurements = [("2D 256 x 256", flat, "", 2)]
    if model_3d:
        volume = _texture((128, 128, 128))
        measurements += [
            ("3D 128^3, a slice", volume, model_3d, 2),
            ("3D 128^3, in 3D", volume, model_3d, 3),
        ]
    return measurements


def _texture(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    noise = np.random.default_rng(0).standard_normal(shape)
    smooth = ndimage.gaussian_filter(noise, 5)
    return (200 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.int16)


def _entry(model: str) -> Any:
    from src_core.models.checkpoint import read_spec
    from src_core.models.library import ModelEntry

    return ModelEntry(Path(model).stem, Path(model), read_spec(Path(model)), False)


def _rest(explorer: Any) -> None:
    def idle() -> bool:
        live, runner = explorer.live, explorer.runner
        return not (live.waiting or runner.busy or runner.previewing)

    _wait(idle)
    _pump(_SETTLED)


def _wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + _TIMEOUT
    while not ready() and time.monotonic() < until:
        _pump(0.002)
    if not ready():
        raise SystemExit("error: the window is still busy")


def _pump(seconds: float) -> None:
    from qtpy.QtWidgets import QApplication

    until = time.perf_counter() + seconds
    while True:
        QApplication.processEvents()
        if time.perf_counter() >= until:
            return
        time.sleep(0.001)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model-3d", default="", help="a 3D model's file, to measure volumes too")
    return parser


if __name__ == "__main__":
    main()
