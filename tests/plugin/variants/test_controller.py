"""The variants panel in a viewer: results shown again, made again, kept in bounds, closed."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton

from napari_drdm.variants import History
from napari_drdm.variants.history import held_bytes
from tests.support.variants import outcome, press, request, settle, slowly
from tests.support.windows import wait


def test_a_click_shows_a_result_again_at_once(bench):
    for seed in (1, 2, 3):
        bench.add(seed=seed)
    first = list(bench.variants.history)[-1].outcome
    assert bench.panel.numbers() == [3]
    press(bench, 2)
    assert bench.shown == [first]
    press(bench, 2)
    assert bench.shown == [first, first]
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Left)
    settle()
    assert [o.request.options.seed for o in bench.shown] == [1, 1, 2]
    bench.variants.add(bench.shown[-1])  # as the explorer tells of what it shows
    assert [v.name for v in bench.variants.history] == ["L48 S3", "L48 S2", "L48 S1"]


def test_what_was_evicted_is_made_again(make):
    bench = make(history=History(limit=1))
    bench.add(seed=1)
    bench.add(seed=2)
    old = list(bench.variants.history)[1]
    assert old.outcome is None and "no longer stored" in bench.panel.strip.item(1).toolTip()
    press(bench, 1)
    assert bench.asked == [old.inputs] and bench.shown == []
    bench.panel.buttons["pin"].click()
    assert bench.own() == [] and old.pinned
    bench.variants.add(outcome(request(bench.image, bench.labels, seed=1)))
    assert bench.own() == ["heart | drdm L48 S1", "heart | drdm L48 S1 labels"]
    assert bench.panel.numbers() == [old.number]
    assert "Computing" not in bench.panel.status.text()


def test_emptying_the_viewer_ends_everything(make):
    bench = make(generate=slowly)
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["pin"].click()
    bench.panel.buttons["blink"].click()
    bench.variants.subtract([1, 2])
    bench.viewer.layers.clear()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    settle()
    assert len(bench.viewer.layers) == 0 and bench.panel.strip.count() == 2
    bench.viewer.layers.extend([bench.image, bench.labels])
    bench.panel.buttons["grid"].click()
    bench.viewer.layers.clear()
    settle()
    assert not bench.variants.seeds.active and not bench.panel.buttons["grid"].isChecked()


def test_memory_is_bounded_in_a_long_session(make):
    one = held_bytes([outcome(make().form)])
    bench = make(history=History(limit=5 * one))
    for seed in range(100):
        bench.add(seed=seed)
    assert bench.variants.history.bytes <= 5 * one
    assert bench.panel.strip.count() == len(bench.variants.history) == 60


def test_a_closed_controller_hears_nothing(make):
    bench = make(generate=slowly)
    bench.add(seed=1)
    bench.panel.buttons["grid"].click()
    bench.variants.close()
    bench.variants.close()
    assert bench.own() == [] and not bench.viewer.canvas.grid.enabled
    bench.panel.deleteLater()
    settle()
    bench.viewer.layers.clear()
    settle()


def test_every_control_has_a_tooltip_and_takes_the_focus(bench):
    controls = [*bench.panel.findChildren(QAbstractButton), bench.panel.strip]
    assert [c for c in controls if not c.toolTip()] == []
    assert [c for c in controls if not c.focusPolicy() & Qt.FocusPolicy.TabFocus] == []
