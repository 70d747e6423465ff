"""Waiting in tests that open a window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["MM", "drdm_threads", "finish", "settle", "wait", "wait_for_threads"]

MM = ("pixel", "mm", "mm", "mm")


def wait(ready: Callable[[], bool], seconds: float = 90) -> None:
    """Process events until something holds; fail if it never does.

    The first run on a machine compiles for several seconds.
    """
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
