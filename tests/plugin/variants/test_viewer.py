"""Variants in a viewer: pinned layers, A/B, differences and nine seeds; the user's stay alone."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication

from napari_drdm.layers.cases import make_case
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.runs.requests import Failure, RunOutcome, RunRequest
from napari_drdm.variants import History, Variants
from napari_drdm.variants.history import held_bytes
from napari_drdm.variants.panel import VariantsPanel
from napari_drdm.variants.seeds import requests_for
from src_core.generation import Options, Result

SHAPE, SCALE = (3, 20, 24), (8, 1.4, 1.2)
TURN = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])


def request(image: Image, labels: Labels | None = None, **options) -> RunRequest:
    snapshot = take_snapshot(image, labels)
    return RunRequest(snapshot, Path("tiny"), Options(**options), image, labels)


def outcome(asked: RunRequest) -> RunOutcome:
    """A result whose image is its source's, brighter by its seed, with other labels."""
    place = make_case(asked.snapshot.copied())
    first = place.case.images[0]
    moved = tuple(v.with_data(3 - v.data) for v in place.case.labels)
    brighter = (first.with_data(first.data + asked.options.seed),)
    case = replace(place.case, images=brighter, labels=moved)
    field = np.zeros((*case.grid.shape, 3), np.float32)
    one = np.ones(case.grid.shape, np.float32)
    facts = {"level": asked.options.level, "seed": asked.options.seed, "steps": 2}
    facts |= {"model": "tiny", "max_mm": 1.25, "max_percent": 3.0}
    return RunOutcome(asked, place, Result(place.case, case, field, field.copy(), one, facts, {}))


class Bench:
    """A viewer with a user's layers, a panel and its controller, and what these asked for."""

    def __init__(self, viewer, generate=None, history=None):
        data = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.uint8)
        place = {"scale": SCALE, "rotate": TURN, "translate": (3, -2, 7)}
        self.viewer = viewer
        self.image = Image(data, name="heart", contrast_limits=(10, 90), colormap="magma", **place)
        self.labels = Labels((data > 120).astype(np.uint8), name="heart labels", **place)
        viewer.layers.extend([self.image, self.labels])
        self.panel, self.shown, self.asked = VariantsPanel(), [], []
        self.form: RunRequest | None = request(self.image, self.labels, level=30, seed=5)
        self.variants = Variants(
            viewer,
            self.panel,
            show=self.shown.append,
            again=self.asked.append,
            present=lambda: self.form,
            generate=generate,
            history=history,
        )
        self.before = self.state()

    def state(self) -> list[object]:
        return [
            (layer.name, layer.visible, layer.opacity, layer.scale.tolist(), layer.blending,
             hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).hexdigest())
            for layer in (self.image, self.labels)
        ]  # fmt: skip

    def add(self, **options) -> int:
        self.variants.add(outcome(request(self.image, self.labels, **options)))
        return next(iter(self.variants.history)).number

    def own(self) -> list[str]:
        return [layer.name for layer in self.viewer.layers if self.variants.owns(layer)]

    def named(self, name: str) -> Image:
        whole = f"{name} | drdm" if name[:2] in ("A:", "B:") else f"heart | drdm {name}"
        return self.viewer.layers[whole]


@pytest.fixture
def make(qtbot):
    benches = []

    def made(generate=None, history=None, viewer=None) -> Bench:
        benches.append(Bench(viewer or ViewerModel(), generate, history))
        qtbot.addWidget(benches[-1].panel)
        return benches[-1]

    yield made
    for bench in benches:
        bench.variants.close()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


@pytest.fixture
def bench(make) -> Bench:
    return make()


def wait(ready, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)
    assert ready()


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def press(bench: Bench, row: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    """A click on a thumbnail."""
    bench.panel.resize(340, 200)
    bench.panel.show()
    strip = bench.panel.strip
    at = strip.visualItemRect(strip.item(row)).center()
    QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(at))
    settle()


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
    assert "image is gone" in bench.panel.status.text() and bench.shown == []
    bench.panel.buttons["pin"].click()
    assert bench.own() == ["heart | drdm L48 S3"]


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
    assert old.outcome is None and "not stored" in bench.panel.strip.item(1).toolTip()
    press(bench, 1)
    assert bench.asked == [old.inputs] and bench.shown == []
    bench.panel.buttons["pin"].click()
    assert bench.own() == [] and old.pinned
    bench.variants.add(outcome(request(bench.image, bench.labels, seed=1)))
    assert bench.own() == ["heart | drdm L48 S1"] and bench.panel.numbers() == [old.number]
    assert "Making" not in bench.panel.status.text()


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


def test_a_and_b_by_turns(bench):
    for seed in (1, 2):
        bench.add(seed=seed)
    bench.panel.buttons["blink"].click()
    a, b = bench.named("A: L48 S1"), bench.named("B: L48 S2")
    assert list(bench.viewer.layers[-2:]) == [a, b] and (a.visible, b.visible) == (True, False)
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
    assert len(bench.viewer.layers) == 0 and bench.panel.strip.count() == 1  # the pinned one
    bench.viewer.layers.extend([bench.image, bench.labels])
    bench.panel.buttons["grid"].click()
    bench.viewer.layers.clear()
    settle()
    assert not bench.viewer.canvas.grid.enabled and not bench.panel.buttons["grid"].isChecked()


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


def test_what_cannot_be_compared_is_told(make):
    bench = make(history=History(limit=1))
    bench.add(seed=1)
    bench.variants.subtract([1])
    assert "Choose two" in bench.panel.status.text()
    bench.add(seed=2)
    bench.panel.buttons["blink"].click()
    assert "L48 S1 is not stored" in bench.panel.status.text()
    assert not bench.panel.buttons["blink"].isChecked() and bench.own() == []


def test_results_of_two_images_are_not_compared(bench):
    bench.add(seed=1)
    other = Image(np.random.default_rng(1).random((7, 6)), name="other")
    bench.viewer.layers.append(other)
    bench.variants.add(outcome(request(other, seed=1)))
    bench.panel.buttons["blink"].click()
    assert "different images" in bench.panel.status.text() and bench.own() == []


def slowly(asked: RunRequest):
    """A run of three steps."""
    for step in range(3):
        time.sleep(0.005)
        yield step
    yield outcome(asked)


def cells(viewer) -> list[tuple[str, tuple[int, int]]]:
    """The topmost image of every cell of the viewer's grid."""
    grid, layers = viewer.canvas.grid, viewer.layers
    images = [i for i in range(len(layers)) if isinstance(layers[i], Image)]
    tops = {grid.position(i, layers): layers[i].name for i in images}
    return [tops.get(place, "") for place in np.ndindex(grid.actual_shape(layers))]


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


def test_a_painted_image_is_computed_anew(make):
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
