"""From a move of the level to its first picture, the recovered one and the certified one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.window.screen import Meter, Row, opened, rest, texture

__all__ = ["stage_rows"]

_LEVELS = (30, 34, 38, 42, 46, 50, 54)
_FEWER = 3
#: Milliseconds that each stage should take at most.
_GOALS = {
    "slice 256 x 256": {"first picture": "40", "recovered": "200", "certified": "350"},
    "volume 128^3, a slice on view": {"certified": "3500"},
}


def stage_rows(model_3d: str) -> Iterator[Row]:
    """Median and largest of each stage, ms; a volume only where a model for it is given."""
    cases: list[tuple[str, tuple[int, ...], str, int]] = [("slice 256 x 256", (256, 256), "", 2)]
    if model_3d:
        cases.append(("volume 128^3, a slice on view", (128,) * 3, model_3d, 2))
        cases.append(("volume 128^3, in 3D", (128,) * 3, model_3d, 3))
    for name, shape, model, ndisplay in cases:
        with opened(texture(shape), model, ndisplay) as (viewer, explorer):
            yield from _measured(name, viewer, explorer, _FEWER if len(shape) == 3 else None)


def _measured(name: str, viewer: Any, explorer: Any, most: int | None) -> Iterator[Row]:
    meter = Meter(viewer)
    times: dict[str, list[float]] = {"first picture": [], "recovered": [], "certified": []}
    meter.start()
    for level in _LEVELS[:most]:
        _one(explorer, level, times)
    stall, own = meter.stop()
    for stage, found in times.items():
        here = f"{statistics.median(found):.0f} ≤ {max(found):.0f}"
        yield Row(f"{name}: {stage}, ms", here, _GOALS.get(name, {}).get(stage, ""))
    yield Row(f"{name}: longest stall (own), ms", f"{stall:.0f} ({own:.0f})")


def _one(explorer: Any, level: int, times: dict[str, list[float]]) -> None:
    seen: dict[str, float] = {}

    def note(moment: Any) -> None:
        now = time.perf_counter()
        seen.setdefault("first picture", now)
        if moment.total and moment.position == moment.total:
            seen.setdefault("recovered", now)
        if moment.outcome is not None:
            seen.setdefault("certified", now)

    explorer.live.shown.connect(note)
    begun = time.perf_counter()
    explorer.options.slider.setValue(level)
    rest(explorer)
    explorer.live.shown.disconnect(note)
    for name, found in times.items():
        found.append(1000 * (seen[name] - begun))
