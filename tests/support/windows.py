"""Waiting in tests that open a window, and a model that is quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["MM", "SPEC", "drdm_threads", "finish", "settle", "wait", "wait_for_threads"]

SPEC = {
    "name": "tiny", "size": 64, "mm_per_pixel": (3.0, 6.0),
    "schedule": {"control": 32, "components": (32, 16, 8)},
    "network": {"kind": "velocity-unet", "stem": 4, "widths": (8, 8), "output_stage": 0,
                "middle": 1, "heads": 1, "embedding": 8, "groups": 2},
    "recovery": {"steps": 4},
}  # fmt: skip
MM = ("pixel", "mm", "mm", "mm")


def wait(ready: Callable[[], bool], seconds: float = 30) -> None:
    """Let the window live until something holds; it has to."""
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)
    assert ready()


def wait_for_threads() -> None:
    """Until no thread of Qt's pool works any more."""
    from qtpy.QtCore import QThreadPool

    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def finish(explorer: Any) -> None:
    """Until no run is under way."""
    wait(lambda: not explorer.runner.busy and not explorer.live.waiting)


def settle(explorer: Any) -> None:
    """Until nothing at all is computed."""
    finish(explorer)
    wait(lambda: not explorer.runner.previewing)


def drdm_threads() -> list[threading.Thread]:
    """The explorer's threads that are alive."""
    return [t for t in threading.enumerate() if t.name == "drdm"]
