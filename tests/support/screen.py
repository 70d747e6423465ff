"""A screen that nobody sees, for each process of the tests that has none of its own.

``NAPARI_DRDM_SCREEN=required`` makes a missing screen an error; otherwise window tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

__all__ = ["check_missing", "close_screen", "has_screen", "open_screen"]

_servers: list[subprocess.Popen[bytes]] = []


def has_screen() -> bool:
    """Whether a window can be opened."""
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def check_missing() -> None:
    """Stop where a screen is required; called where there is none."""
    if os.environ.get("NAPARI_DRDM_SCREEN") == "required":
        raise pytest.UsageError("no screen for the window tests: install Xvfb, or set DISPLAY")


def open_screen(own: bool) -> None:
    """Start Xvfb where there is no screen; with ``own``, beside one that is shared, too."""
    if sys.platform != "linux" or (has_screen() and not own) or not shutil.which("Xvfb"):
        return
    reader, writer = os.pipe()
    _servers.append(
        subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1000x24", "-noreset"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
    )
    os.close(writer)
    with os.fdopen(reader) as numbers:
        os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
    os.environ.pop("WAYLAND_DISPLAY", None)


def close_screen() -> None:
    """End what ``open_screen`` started."""
    while _servers:
        server = _servers.pop()
        server.terminate()
        server.wait()
