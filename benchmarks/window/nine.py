"""3 x 3 seeds of a slice: until all nine are there, and how long the window stalls."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.window.screen import Meter, Row, opened, pump, rest, texture, wait

__all__ = ["nine_rows"]

_TIMES = 2


def nine_rows() -> Iterator[Row]:
    """The second of two times, each with seeds of its own."""
    with opened(texture((256, 256))) as (viewer, explorer):
        button, seeds = explorer.variants_panel.buttons["grid"], explorer.variants.seeds
        meter = Meter(viewer)
        for turn in range(_TIMES):
            explorer.options.seed.setValue(100 + 20 * turn)
            rest(explorer)
            meter.start()
            begun = time.perf_counter()
            button.click()
            wait(lambda: seeds.pictures == 9)
            pictures = time.perf_counter() - begun
            wait(lambda: not seeds.busy)
            finished = time.perf_counter() - begun
            entering = meter.stop()
            meter.start()
            button.click()
            pump(0.5)
            leaving = meter.stop()
    yield Row("3 x 3 seeds of a slice: all pictures, s", f"{pictures:.1f}", "3")
    yield Row("3 x 3 seeds of a slice: all certified, s", f"{finished:.1f}")
    for name, (stall, own) in (("entering", entering), ("leaving", leaving)):
        here = f"{stall:.0f} ({own:.0f})"
        yield Row(f"3 x 3 seeds, {name}: longest stall (own), ms", here, "150")
