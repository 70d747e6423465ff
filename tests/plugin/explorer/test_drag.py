"""The mouse on the level's slider: pictures come while it moves, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from benchmarks.window.dragging import drag
from napari_drdm.runs.requests import RunOutcome
from tests.support.windows import settle, wait


def ready(explorer: Any) -> list[Any]:
    """At rest at level 10; and every moment that is shown from now on."""
    wait(lambda: explorer.sources.model.value() is not None)
    explorer.options.slider.setValue(10)
    settle(explorer)
    moments: list[Any] = []
    explorer.live.shown.connect(moments.append)
    return moments


def test_a_drag_by_the_mouse_shows_pictures_while_it_lasts(window):
    _, explorer = window()
    moments = ready(explorer)
    drag(explorer.options.slider, 10, 60, 0.02)
    assert explorer.options.slider.value() == 60
    levels = [moment.request.options.level for moment in moments]
    assert len(set(levels)) >= 5 and levels == sorted(levels)
    settle(explorer)
    assert moments[-1].outcome.result.metrics["level"] == 60
    assert {type(m.outcome) for m in moments[:-1]} <= {type(None)}  # nothing passed was certified


def test_arrow_keys_move_it_and_show_each_level(window):
    _, explorer = window()
    moments = ready(explorer)
    for _ in range(5):
        QTest.keyClick(explorer.options.slider, Qt.Key.Key_Right)
        settle(explorer)
    results = [m.outcome.result.metrics["level"] for m in moments if m.outcome]
    assert results == [11, 12, 13, 14, 15]


@pytest.mark.parametrize("what", ["cancel", "labels", "image"])
def test_a_drag_that_is_interrupted_leaves_nothing_of_before(window, what):
    viewer, explorer = window()
    other = np.random.default_rng(1).integers(0, 99, (20, 24)).astype(np.int16)
    second = viewer.add_image(other, name="second", scale=(5.6, 5.6)).__wrapped__
    moments = ready(explorer)
    drag(explorer.options.slider, 10, 30, 0.005)
    moments.clear()
    if what == "cancel":
        QTest.keyClick(explorer.options.slider, Qt.Key.Key_Escape)
        explorer.cancel()
    elif what == "labels":
        explorer.sources.labels.setCurrentIndex(0)
        explorer.sources.labels.activated.emit(0)
    else:
        explorer.sources.image.pick(second)
        explorer.sources.image.chosen.emit(second)
    settle(explorer)
    assert not any(isinstance(m.outcome, RunOutcome) for m in moments)
    assert what == "cancel" or not moments
    drag(explorer.options.slider, 30, 40, 0.005)
    settle(explorer)
    assert moments[-1].outcome.result.metrics["level"] == 40
    assert moments[-1].request.source is explorer.sources.image.value()


def test_the_slider_is_drawn_with_its_picture_or_soon_without(window):
    _, explorer = window()
    ready(explorer)
    explorer.options.slider.setValue(20)
    wait(explorer.options.updatesEnabled, 5)
    settle(explorer)
    explorer.options.live.setChecked(False)
    explorer.options.slider.setValue(30)
    assert explorer.options.updatesEnabled()
