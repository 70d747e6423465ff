"""What was deleted comes back, and what is compared has its labels and its own numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.support.variants import outcome, press, settle, slowly
from tests.support.windows import wait


def names(bench) -> list[str]:
    return [variant.name for variant in bench.variants.history]


def test_what_was_deleted_comes_back_where_it_was(bench):
    for seed in (1, 2, 3):
        bench.add(seed=seed)
    press(bench, 1)
    bench.panel.buttons["pin"].click()
    pinned = bench.own()
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Delete)
    assert names(bench) == ["L48 S3", "L48 S1"] and bench.own() == []
    assert "Undo delete" in bench.panel.status.text()
    press(bench, 1)
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Delete)
    QTest.mouseClick(bench.panel.buttons["undo"], Qt.MouseButton.LeftButton)
    assert names(bench) == ["L48 S3", "L48 S1"] and bench.own() == []
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert names(bench) == ["L48 S3", "L48 S2", "L48 S1"] and bench.own() == pinned
    assert not bench.panel.buttons["undo"].isEnabled()
    assert bench.panel.strip.item(1).text() == "L48 S2"


def test_a_result_made_again_meanwhile_stands_once(bench):
    bench.add(seed=1)
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Delete)
    bench.add(seed=1)
    QTest.mouseClick(bench.panel.buttons["undo"], Qt.MouseButton.LeftButton)
    assert names(bench) == ["L48 S1"]


def test_a_and_b_have_their_labels_and_numbers(bench):
    seen = []
    bench.variants.compared.connect(seen.append)
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["blink"].click()
    a, b = (bench.viewer.layers[f"{x} labels | drdm"] for x in ("A: L48 S1", "B: L48 S2"))
    assert np.array_equal(b.data, 3 - bench.labels.data)
    assert np.allclose(b.scale, bench.labels.scale) and b.opacity == bench.labels.opacity
    wait(lambda: len(seen) >= 3)
    made = [variant.outcome for variant in bench.variants.history]
    assert [made.index(one) for one in seen[:3]] == [1, 0, 1]
    assert a.visible == bench.named("A: L48 S1").visible and a.visible != b.visible
    bench.panel.buttons["blink"].click()
    assert seen[-1] is None and bench.own() == []


def test_the_tile_under_the_cursor_gives_the_numbers(make):
    def run(asked):
        for value in slowly(asked):
            if not isinstance(value, int):
                more = {"max_mm": 1.5 + asked.options.seed, "min_det": 1 / asked.options.seed}
                metrics = {**value.result.metrics, **more}
                value = replace(value, result=replace(value.result, metrics=metrics))
            yield value

    bench, seen = make(generate=run), []
    bench.variants.compared.connect(seen.append)
    bench.panel.buttons["grid"].click()
    wait(lambda: not bench.variants.seeds.busy)
    assert seen[-1].request.options.seed == 5  # the form's own
    assert bench.panel.status.text() == "9 of 9 seeds: largest 6.5 to 14.5 mm, det J ≥ 0.08"
    layer = bench.viewer.layers[bench.own()[0]]
    for place, seed in ((4, 9), (8, 13)):
        row, column = layer.data.corner(place)
        bench.viewer.cursor.position = tuple(layer.data_to_world((1, row + 3, column + 2)))
        settle()
        assert seen[-1].request.options.seed == seed
    bench.viewer.cursor.position = tuple(layer.data_to_world((1, -20, -20)))
    settle()
    assert seen[-1].request.options.seed == 5
    bench.panel.buttons["grid"].click()
    assert seen[-1] is None


def test_pinning_what_has_no_labels(make):
    bench = make()
    alone = replace(bench.form, labels=None, snapshot=replace(bench.form.snapshot, labels=None))
    bench.variants.add(outcome(alone))
    bench.panel.buttons["pin"].click()
    assert bench.own() == ["heart | drdm L30 S5"]
    assert bench.panel.status.text() == "Pinned L30 S5: added heart | drdm L30 S5"
