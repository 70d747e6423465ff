"""Pinned results as layers: where they lie, what they outlive, what remains of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.support.variants import press, settle

PINNED = ["heart | drdm L48 S3", "heart | drdm L48 S3 labels"]


def test_a_pinned_result_stays_where_and_how_its_source_is(bench):
    number = bench.add(level=48, seed=3)
    bench.viewer.layers.selection.active = bench.labels
    bench.panel.buttons["pin"].click()
    layer = bench.named("L48 S3")
    assert bench.own() == PINNED and bench.viewer.layers.index(layer) == 1  # under the labels
    labels = bench.viewer.layers["heart | drdm L48 S3 labels"]
    assert list(bench.viewer.layers[2:]) == [bench.labels, labels]
    assert np.array_equal(labels.data, 3 - bench.labels.data)
    assert bench.panel.status.text() == f"Pinned L48 S3: added {PINNED[0]} and {PINNED[1]}"
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
    assert bench.panel.status.text() == "Unpinned L48 S3: 2 layers removed"


def test_a_pinned_layer_that_was_deleted_is_restored(bench):
    bench.add(seed=3)
    bench.panel.buttons["pin"].click()
    for name in PINNED:
        bench.viewer.layers.remove(name)
    settle()
    assert bench.panel.buttons["pin"].text() == "Restore"
    bench.panel.buttons["pin"].click()
    assert bench.own() == PINNED


def test_results_outlive_their_image_which_a_click_brings_back(bench):
    for seed in (3, 4):
        bench.add(seed=seed)
    bench.viewer.layers.remove(bench.image)
    bench.viewer.layers.remove(bench.labels)
    settle()
    assert bench.panel.strip.count() == 2
    press(bench, 1)
    assert [o.request.options.seed for o in bench.shown] == [3]
    assert list(bench.viewer.layers) == [bench.image, bench.labels]
    assert bench.state() == bench.before


def test_a_new_name_is_the_layers_too(bench):
    number = bench.add(seed=3)
    bench.panel.buttons["pin"].click()
    bench.panel.strip.item(0).setText("  big heart ")
    assert bench.own() == ["heart | drdm big heart", "heart | drdm big heart labels"]
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
