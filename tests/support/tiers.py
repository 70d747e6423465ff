"""Which tier a test belongs to, from what it uses: ``data`` and ``window`` are marked here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

__all__ = ["mark", "needs_window"]

DATA = {"data_dir", "reference_dir"}
WINDOW = {"make_napari_viewer", "make_napari_viewer_proxy", "qapp", "qtbot"}


def mark(item: pytest.Item) -> None:
    """Give a test the markers that follow from its fixtures and its module."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if fixtures & DATA:
        item.add_marker(pytest.mark.data)
    if fixtures & WINDOW or needs_window(item.path):
        item.add_marker(pytest.mark.window)


@cache
def needs_window(module: Path) -> bool:
    """Whether a test module of the plugin imports Qt."""
    return module.is_relative_to(ROOT / "tests" / "plugin") and "qtpy" in module.read_text("utf-8")
