"""Nine seeds in the viewer's grid: their order, their end, cancelling, failures."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QThreadPool

from napari_drdm.runs.requests import Failure
from napari_drdm.variants.seeds import requests_for
from tests.support.variants import SCALE, cells, outcome, request, settle, slowly
from tests.support.windows import wait


def test_nine_seeds_in_reading_order_and_everything_as_before(make):
    bench = make(generate=slowly)
    bench.add(level=30, seed=7)  # known already
    grid, camera = bench.viewer.canvas.grid, bench.viewer.scene.camera
    grid.stride, grid.shape, grid.spacing = 2, (-1, 4), 0.1
    camera.zoom, camera.center = 3.5, (0, 4, 5)
    ran = []
    bench.variants.seeds.ran.connect(ran.append)
    bench.panel.buttons["grid"].click()
    assert grid.enabled and ran == [True] and bench.variants.seeds.busy
    waiting = [f"S{seed} L30 … | drdm" for seed in range(5, 14)]
    assert cells(bench.viewer) == waiting
    assert np.array_equal(bench.viewer.layers[waiting[0]].data, bench.image.data)
    wait(lambda: not bench.variants.seeds.busy)
    assert ran == [True, False] and bench.panel.status.text() == "9 of 9 seeds"
    assert cells(bench.viewer) == [name.replace(" …", "") for name in waiting]
    for seed in range(5, 14):
        layer = bench.viewer.layers[f"S{seed} L30 | drdm"]
        assert np.array_equal(layer.data, bench.image.data + seed) and layer.name_overlay.visible
        over = bench.viewer.layers[f"S{seed} L30 labels | drdm"]
        assert (
            np.array_equal(over.data, 3 - bench.labels.data) and over.data is not bench.labels.data
        )
        places = [
            grid.position(bench.viewer.layers.index(x), bench.viewer.layers) for x in (layer, over)
        ]
        assert places[0] == places[1] == divmod(seed - 5, 3)
        assert over.opacity == bench.labels.opacity and over.scale.tolist() == list(SCALE)
    assert len(bench.variants.history) == 9 and bench.state() == bench.before
    bench.labels.visible = False  # whatever the user hides, the nine stay where they are
    assert cells(bench.viewer)[0] == "S5 L30 | drdm"
    bench.labels.visible = True
    bench.viewer.dims.ndisplay = 3
    assert len(cells(bench.viewer)) == 12 and cells(bench.viewer)[9] == "heart"
    bench.viewer.dims.ndisplay = 2
    camera.zoom = 9
    bench.panel.buttons["grid"].click()
    assert (grid.enabled, grid.stride, grid.shape, grid.spacing) == (False, 2, (-1, 4), 0.1)
    assert camera.zoom == 3.5 and tuple(camera.center) == (0, 4, 5)
    assert bench.own() == [] and bench.state() == bench.before


def test_nine_seeds_without_labels_where_these_are_not_shown(make):
    bench = make(generate=slowly)
    bench.variants._labelled = lambda: False
    bench.panel.buttons["grid"].click()
    assert len(bench.own()) == 9 and bench.viewer.canvas.grid.stride == -1


def test_a_seed_goes_whole_when_half_of_it_is_removed(make):
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    wait(lambda: not bench.variants.seeds.busy)
    bench.viewer.layers.remove(bench.viewer.layers["S6 L30 labels | drdm"])
    settle()
    left = [f"S{seed} L30 | drdm" for seed in (5, *range(7, 14))]
    assert cells(bench.viewer)[:8] == left and len(bench.own()) == 16


def test_nine_seeds_can_be_cancelled(make):
    begun, go = [], threading.Event()

    def stuck(asked):
        begun.append(asked.options.seed)
        while not go.is_set():
            time.sleep(0.005)
            yield None

    bench = make(generate=stuck)
    bench.panel.buttons["grid"].click()
    wait(lambda: begun == [5])
    bench.panel.buttons["grid"].click()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    go.set()
    assert begun == [5] and bench.own() == [] and not bench.viewer.canvas.grid.enabled


def test_switching_the_grid_off_leaves_it(make):
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    bench.viewer.canvas.grid.enabled = False
    settle()
    assert bench.own() == [] and not bench.variants.seeds.busy
    assert not bench.panel.buttons["grid"].isChecked()


@pytest.mark.parametrize("raises", [True, False])
def test_a_seed_that_fails_says_so_in_one_line(make, raises):
    def failing(asked):
        yield None
        if raises:
            raise ValueError("no such thing")
        yield Failure("no such thing")

    bench = make(generate=failing)
    bench.panel.buttons["grid"].click()
    wait(lambda: not bench.variants.seeds.busy)
    assert bench.panel.status.text() == f"{'ValueError: ' if raises else ''}no such thing"
    assert bench.panel.buttons["grid"].isChecked()  # the nine stay to be looked at


def test_a_painted_image_is_computed_again(make):
    begun = []

    def counted(asked):
        begun.append(asked.options.seed)
        yield outcome(asked)

    bench = make(generate=counted)
    for seed in range(5, 13):
        bench.add(level=30, seed=seed)
    bench.panel.buttons["grid"].click()
    wait(lambda: not bench.variants.seeds.busy)
    assert begun == [13]
    bench.panel.buttons["grid"].click()
    bench.image.data[0, 0, 0] += 1
    bench.form = request(bench.image, bench.labels, level=30, seed=5)
    bench.panel.buttons["grid"].click()
    wait(lambda: not bench.variants.seeds.busy)
    assert begun == [13, *range(5, 14)]


def test_without_a_request_there_is_no_grid(bench):
    bench.form = None
    bench.panel.buttons["grid"].click()
    assert not bench.panel.buttons["grid"].isChecked() and bench.own() == []


def test_the_highest_seeds_stay_in_range(bench):
    asked = requests_for(request(bench.image, seed=2**31 - 3))
    assert [one.options.seed for one in asked] == list(range(2**31 - 9, 2**31))
