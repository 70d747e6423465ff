"""Nine seeds in one picture: their order, their end, cancelling, failures."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QThreadPool
from qtpy.QtTest import QTest

from napari_drdm.runs.requests import Failure
from napari_drdm.variants.seeds import requests_for
from tests.support.variants import (
    SCALE,
    SHAPE,
    TURN,
    outcome,
    request,
    settle,
    slowly,
    tiles,
)
from tests.support.windows import wait


def ready(bench) -> None:
    """Until nothing is computed any more."""
    wait(lambda: not bench.variants.seeds.busy)


def test_nine_seeds_in_reading_order_and_everything_as_before(make):
    bench = make(generate=slowly)
    bench.add(level=30, seed=7)  # known already
    grid, camera = bench.viewer.canvas.grid, bench.viewer.scene.camera
    grid.enabled, camera.zoom, camera.center = True, 3.5, (0, 4, 5)
    ran = []
    bench.variants.seeds.ran.connect(ran.append)
    bench.panel.buttons["grid"].click()
    assert ran == [True] and bench.variants.seeds.busy and not grid.enabled
    settle()
    assert bench.own() == ["S5 L30 to S13 | drdm", "S5 L30 to S13 labels | drdm"]
    ready(bench)
    assert ran == [True, False] and bench.panel.status.text().startswith("9 of 9 seeds")
    image, labels = (bench.viewer.layers[name] for name in bench.own())
    for seed, tile, over in zip(range(5, 14), tiles(image), tiles(labels), strict=True):
        assert np.array_equal(tile, bench.image.data + seed)
        assert np.array_equal(over, 3 - bench.labels.data)
    assert labels.opacity == bench.labels.opacity and labels.scale.tolist() == list(SCALE)
    assert image.contrast_limits == bench.image.contrast_limits and not labels.editable
    assert len(bench.variants.history) == 9 and bench.state() == bench.before
    bench.panel.buttons["grid"].click()
    assert grid.enabled and camera.zoom == 3.5 and tuple(camera.center) == (0, 4, 5)
    assert bench.own() == [] and bench.state() == bench.before


def test_tiles_that_wait_are_grey_with_their_seed_written_on_them(make):
    begun, go = threading.Event(), threading.Event()

    def stuck(asked):
        begun.set()
        while not go.is_set():
            time.sleep(0.005)
            yield None
        yield outcome(asked)

    bench = make(generate=stuck)
    bench.panel.buttons["grid"].click()
    wait(begun.is_set)
    layer = bench.viewer.layers[bench.own()[0]]
    assert all((tile == 50).all() for tile in tiles(layer))  # halfway from 10 to 90
    picture = layer._slice.image.raw
    values, counts = np.unique(picture, return_counts=True)
    assert (
        values.tolist() == [10, 50, 90] and counts[2] > 9 and picture.shape == layer.data.shape[1:]
    )
    go.set()
    ready(bench)


def test_nine_seeds_without_labels_where_these_are_not_shown(make):
    bench = make(generate=slowly)
    bench.variants._labelled = lambda: False
    bench.panel.buttons["grid"].click()
    settle()
    assert bench.own() == ["S5 L30 to S13 | drdm"]


def test_pictures_come_before_any_certificate(make, moment_of):
    order = []

    def generate(asked):
        picture = moment_of(asked.source, np.zeros_like, asked.labels)
        order.append(("picture", asked.options.seed))
        yield picture
        order.append(("proof", asked.options.seed))
        yield outcome(asked)

    bench = make(generate=generate)
    bench.panel.buttons["grid"].click()
    ready(bench)
    seeds = range(5, 14)
    assert order == [*(("picture", s) for s in seeds), *(("proof", s) for s in seeds)]
    assert len(bench.variants.history) == 9
    assert np.array_equal(tiles(bench.viewer.layers[bench.own()[0]])[8], bench.image.data)


def test_the_picture_follows_the_view(make):
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    ready(bench)
    layer = bench.viewer.layers[bench.own()[0]]
    flat = layer.data.shape
    bench.viewer.dims.ndisplay = 3
    world = layer.data_to_world((0, 0, 0)), bench.image.data_to_world((0, 0, 0))
    rows = np.linalg.solve(bench.image.affine.affine_matrix[:3, :3], np.subtract(*world))
    assert (TURN.T @ rows)[1] == pytest.approx(-1.1 * flat[1] * SCALE[1])  # beside the source
    bench.viewer.dims.ndisplay = 2
    assert np.allclose(layer.translate, bench.image.translate)


def test_tiles_follow_the_axes_on_view(make):
    bench = make(generate=slowly)
    for layer in (bench.image, bench.labels):
        layer.rotate = np.eye(3)
    bench.panel.buttons["grid"].click()
    ready(bench)
    layer = bench.viewer.layers[bench.own()[0]]
    flat = layer.data.shape
    bench.viewer.dims.order = (1, 0, 2)
    assert layer.data.shape == (3 * SHAPE[0] + 2, SHAPE[1], flat[2])
    first = np.asarray(layer.data)[: SHAPE[0], :, : SHAPE[2]]
    assert np.array_equal(first, bench.image.data + 5)


def test_labels_may_be_removed_alone_but_not_the_picture(make):
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    ready(bench)
    image, labels = bench.own()
    bench.viewer.layers.remove(bench.viewer.layers[labels])
    settle()
    assert bench.own() == [image] and bench.variants.seeds.active
    bench.viewer.layers.remove(bench.viewer.layers[image])
    settle()
    assert bench.own() == [] and not bench.variants.seeds.active
    assert not bench.panel.buttons["grid"].isChecked()


def test_layers_leave_one_by_one_after_the_source_was_removed(make):
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    ready(bench)
    own = bench.own()
    bench.viewer.layers.remove(bench.image)
    counts = [len(bench.own())]
    for _ in range(200):
        QTest.qWait(5)
        counts.append(len(bench.own()))
    assert counts[-1] == 0 and counts[0] == len(own) == 2 and not bench.variants.seeds.active
    assert set(np.diff(counts)) <= {0, -1}


def test_old_objects_are_collected_again_afterwards(make):
    import gc

    frozen = gc.get_freeze_count()
    gc.unfreeze()
    bench = make(generate=slowly)
    bench.panel.buttons["grid"].click()
    assert gc.get_freeze_count() > 0
    bench.panel.buttons["grid"].click()
    assert gc.get_freeze_count() == 0
    if frozen:
        gc.freeze()


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
    assert begun == [5] and bench.own() == []


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
