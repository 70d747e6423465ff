"""Memory for results: set in the window, shared, stated; and what the engine reports there."""

from __future__ import annotations

import logging
import threading

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.runs.cache import BoundedCache
from napari_drdm.settings import Remembered, load_settings
from tests.support.windows import settle, wait

MB = 2**20


def test_the_memory_of_results_is_set_in_the_window_and_remembered(window):
    _, explorer = window()
    runs, history = explorer.runner.compute.runs, explorer.variants.history
    assert runs.limit == history.limit == Remembered().memory * MB // 2
    explorer.more.memory.setValue(64)
    assert runs.limit == history.limit == 32 * MB
    for level in range(20, 26):
        explorer.options.slider.setValue(level)
        settle(explorer)
    assert load_settings(Remembered).memory == 64
    assert runs.nbytes <= runs.limit and history.bytes <= history.limit
    assert "In use: at most" in explorer.more.memory.toolTip()


def test_a_smaller_limit_makes_room_at_once():
    kept: BoundedCache[str] = BoundedCache(100)
    for key in "abc":
        kept.put(key, key, 30)
    kept.get("a")
    kept.set_limit(60)
    assert kept.get("b") is None and kept.get("a") == "a" and kept.nbytes == 60


def test_a_smaller_limit_of_the_history_drops_the_oldest_results(window):
    _, explorer = window()
    for level in (20, 25, 30):
        explorer.options.slider.setValue(level)
        settle(explorer)
        next(iter(explorer.variants.history)).picked = True  # none is passed on the way
    assert sum(v.outcome is not None for v in explorer.variants.history) == 3
    explorer.variants.history.set_limit(1)
    held = [v.outcome is not None for v in explorer.variants.history]
    assert held == [True, False, False]


def test_what_the_engine_reports_is_seen(window):
    _, explorer = window()
    settle(explorer)
    report = logging.getLogger("src_core.of_this_test").warning
    thread = threading.Thread(target=report, args=("compiling, once",))
    thread.start()
    wait(lambda: explorer.run_bar.status.text() == "compiling, once")
    thread.join()
