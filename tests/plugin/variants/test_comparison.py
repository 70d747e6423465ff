"""Two results compared: by turns, while a key is down, and as a difference."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_drdm.variants import History
from tests.support.variants import SCALE, outcome, press, request, settle
from tests.support.windows import wait


def test_a_and_b_by_turns(bench):
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["blink"].click()
    a, b = bench.named("A: L48 S1"), bench.named("B: L48 S2")
    assert list(bench.viewer.layers[-4::2]) == [a, b] and (a.visible, b.visible) == (True, False)
    assert np.array_equal(b.data, bench.image.data + 2) and b.name_overlay.visible
    seen = []
    a.events.visible.connect(lambda: seen.append((time.monotonic(), a.visible, b.visible)))
    wait(lambda: len(seen) >= 4)
    times = np.diff([t for t, *_ in seen])
    assert ((times > 0.25) & (times < 1)).all()  # 1 to 2 turns a second, each way
    assert [now for _, now, _ in seen] == [False, True, False, True]
    bench.panel.buttons["blink"].click()
    assert bench.own() == [] and bench.state() == bench.before
    assert not bench.panel.buttons["blink"].isChecked()


def test_b_for_as_long_as_a_key_is_down(bench):
    for seed in (1, 2):
        bench.add(seed=seed)
    strip = bench.panel.strip
    QTest.keyPress(strip, Qt.Key.Key_B)
    a, b = bench.named("A: L48 S1"), bench.named("B: L48 S2")
    assert (a.visible, b.visible) == (False, True)
    QTest.keyRelease(strip, Qt.Key.Key_B)
    assert bench.own() == []
    bench.panel.buttons["blink"].click()
    QTest.keyPress(strip, Qt.Key.Key_B)
    b = bench.named("B: L48 S2")
    QTest.qWait(900)
    assert b.visible
    QTest.keyRelease(strip, Qt.Key.Key_B)
    assert not b.visible and bench.panel.buttons["blink"].isChecked()


@pytest.mark.parametrize("gone", ["A: L48 S1", "B: L48 S2"])
def test_a_comparison_ends_with_its_layers(bench, gone):
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["blink"].click()
    bench.viewer.layers.selection = {bench.named(gone), bench.labels}
    bench.viewer.layers.remove_selected()
    settle()
    assert list(bench.viewer.layers) == [bench.image]
    assert not bench.panel.buttons["blink"].isChecked()


def test_differences_are_the_second_minus_the_first_in_place(bench):
    for seed in (1, 9, 4):
        bench.add(seed=seed)
    press(bench, 1)
    press(bench, 2, Qt.KeyboardModifier.ControlModifier)
    assert bench.panel.numbers() == [1, 2]
    bench.panel.buttons["difference"].click()
    wait(lambda: len(bench.own()) == 1)
    layer = bench.named("L48 S9 − L48 S1")
    assert (layer.data == 8).all() and layer.data.dtype == np.float32
    assert tuple(layer.contrast_limits) == (-40, 40) and np.allclose(layer.scale, SCALE)
    bench.panel.strip.clearSelection()
    press(bench, 0)  # shown last: 9, then 4
    bench.panel.buttons["difference"].click()
    wait(lambda: layer.name == "heart | drdm L48 S4 − L48 S9")
    assert (layer.data == -5).all() and len(bench.viewer.layers) == 3
    bench.viewer.layers.remove(layer)
    settle()
    bench.panel.buttons["difference"].click()
    wait(lambda: len(bench.own()) == 1)


def test_what_cannot_be_compared_is_reported(make):
    bench = make(history=History(limit=1))
    bench.add(seed=1)
    bench.variants.subtract([1])
    assert "Choose two" in bench.panel.status.text()
    bench.add(seed=2)
    bench.panel.buttons["blink"].click()
    assert "L48 S1 is no longer stored" in bench.panel.status.text()
    assert not bench.panel.buttons["blink"].isChecked() and bench.own() == []


def test_results_of_two_images_are_not_compared(bench):
    bench.add(seed=1)
    other = Image(np.random.default_rng(1).random((7, 6)), name="other")
    bench.viewer.layers.append(other)
    bench.variants.add(outcome(request(other, seed=1)))
    bench.panel.buttons["blink"].click()
    assert "different images" in bench.panel.status.text() and bench.own() == []
