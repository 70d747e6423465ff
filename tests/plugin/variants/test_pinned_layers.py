"""Pinned results as layers: where they lie, what they outlive, what remains of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.support.variants import press, settle


def test_a_pinned_result_stays_where_and_how_its_source_is(bench):
    number = bench.add(level=48, seed=3)
    bench.viewer.layers.selection.active = bench.labels
    bench.panel.buttons["pin"].click()
    layer = bench.named("L48 S3")
    assert bench.viewer.layers.index(layer) == 1  # under the labels
    assert np.array_equal(layer.data, bench.image.data + 3)
    assert np.allclose(layer.data_to_world((1, 2, 3)), bench.image.data_to_world((1, 2, 3)))
    assert tuple(layer.contrast_limits) == (10, 90) and layer.colormap.name == "magma"
    bench.add(level=48, seed=4)
    assert layer in bench.viewer.layers and bench.panel.buttons["pin"].text() == "Pin"
    assert bench.viewer.layers.selection.active is bench.labels
    bench.panel.mark(number)
    assert bench.panel.buttons["pin"].text() == "Unpin"
    bench.panel.buttons["pin"].click()
    assert bench.own() == [] and bench.state() == bench.before


def test_a_pinned_layer_that_was_deleted_is_restored(bench):
    bench.add(seed=3)
    bench.panel.buttons["pin"].click()
    bench.viewer.layers.remove(bench.named("L48 S3"))
    settle()
    assert bench.panel.buttons["pin"].text() == "Restore"
    bench.panel.buttons["pin"].click()
    assert bench.own() == ["heart | drdm L48 S3"]


def test_pinned_results_outlive_their_image(bench):
    bench.add(seed=3)
    bench.panel.buttons["pin"].click()
    bench.add(seed=4)
    bench.viewer.layers.remove(bench.image)
    bench.viewer.layers.remove(bench.named("L48 S3"))
    settle()
    assert bench.panel.strip.count() == 1
    press(bench, 0)
    assert "image was removed" in bench.panel.status.text() and bench.shown == []
    bench.panel.buttons["pin"].click()
    assert bench.own() == ["heart | drdm L48 S3"]


def test_a_new_name_is_the_layers_too(bench):
    number = bench.add(seed=3)
    bench.panel.buttons["pin"].click()
    bench.panel.strip.item(0).setText("  big heart ")
    assert bench.own() == ["heart | drdm big heart"]
    assert bench.panel.strip.item(0).text() == "big heart"
    bench.panel.strip.item(0).setText(" ")
    assert bench.panel.strip.item(0).text() == bench.variants.history.get(number).name


def test_what_is_deleted_is_gone_with_its_layer(bench):
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["pin"].click()
    QTest.keyClick(bench.panel.strip, Qt.Key.Key_Delete)
    assert bench.own() == [] and [v.name for v in bench.variants.history] == ["L48 S1"]
    assert len(bench.viewer.layers) == 2 and bench.state() == bench.before
