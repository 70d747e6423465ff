"""Sizes of labels over seeds: the plot, a click in it, and the search for seeds of one size."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_drdm.runs.requests import Failure
from napari_drdm.variants.distribution import Distribution
from napari_drdm.variants.label_sizes import label_sizes, sizes_of_moment
from napari_drdm.variants.search import SeedSearch, SizeCondition, search_seeds
from napari_drdm.widgets.distribution_panel import DistributionPanel
from tests.support.variants import SCALE, outcome, request
from tests.support.windows import wait

VOXEL_ML = math.prod(SCALE) / 1000


def sized(asked, factor: float):
    """A result whose label 1 has that many times the source's volume."""
    made, value = outcome(asked), {}
    volume = float((asked.snapshot.labels == 1).sum()) * VOXEL_ML
    value["label_volume_ml"] = {"1": [volume, factor * volume]}
    made.result.metrics.update(value)
    return made


class Window:
    """The bench with a distribution panel; seed s has 1 + s / 100 times the source's volume."""

    def __init__(self, make, qtbot, generate=None):
        self.bench = make()
        self.panel, self.again = DistributionPanel(), []
        qtbot.addWidget(self.panel)
        self.search = SeedSearch(generate or self._generate)
        self.sizes = Distribution(
            self.panel,
            self.bench.variants,
            self.search,
            lambda: self.bench.form,
            self.again.append,
        )
        self.sizes.turn_to(self.bench.image, self.bench.labels)
        self.panel.resize(360, 320)
        self.panel.show()

    def _generate(self, asked):
        yield 1
        yield sized(asked, 1 + asked.options.seed / 100)

    def add(self, seed: int, factor: float) -> int:
        asked = request(self.bench.image, self.bench.labels, level=30, seed=seed)
        self.bench.variants.add(sized(asked, factor))
        return next(iter(self.bench.variants.history)).number

    def drawn(self) -> None:
        wait(lambda: self.panel.plot.canvas is not None and not self.panel.plot._soon.isActive())

    def click(self, key, value: int = 1) -> None:
        """On a dot, by the mouse."""
        self.drawn()
        plot = self.panel.plot
        plot.canvas.draw()
        x, y = (
            plot.axes.transData.transform(plot.place(key, value)) / plot.canvas.device_pixel_ratio
        )
        at = QPoint(round(x), round(plot.canvas.height() - y))
        QTest.mouseClick(plot.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)

    def colours(self) -> list[str]:
        self.drawn()
        from matplotlib.colors import to_hex

        return [to_hex(c.get_facecolor()[0]) for c in self.panel.plot.axes.collections]


@pytest.fixture
def opened(make, qtbot):
    """Opens windows, and holds them until the test has ended."""
    windows = []

    def new(generate=None) -> Window:
        windows.append(Window(make, qtbot, generate))
        return windows[-1]

    yield new
    for one in windows:
        one.sizes.close()


@pytest.fixture
def window(opened):
    return opened()


def test_sizes_of_a_layer_in_its_unit():
    from napari.layers import Labels

    flat = np.zeros((6, 8), np.uint8)
    flat[1:3, 2:5], flat[4, 4] = 2, 7
    metadata = {"drdm": {"label_names": {2: "LV"}}}
    found = label_sizes(Labels(flat, scale=(2, 1.5), metadata=metadata))
    assert [(s.value, s.name, s.unit) for s in found] == [(2, "LV", "mm²"), (7, "label 7", "mm²")]
    assert [s.shown for s in found] == pytest.approx([18.0, 3.0])
    frames = np.zeros((4, 3, 6, 8), np.uint8)
    frames[:2, 1, 1:3, 2:5] = 1
    (one,) = label_sizes(Labels(frames, scale=(1, 5, 2, 1.5)))
    assert one.unit == "ml" and one.shown == pytest.approx(3 * 15 / 1000)  # 6 voxels in half of it
    assert label_sizes(None) == () and label_sizes(Labels(np.zeros((4, 4), int))) == ()


def test_sizes_of_a_picture_are_those_of_its_labels(moment_of):
    from napari.layers import Image, Labels

    values = np.zeros((3, 10, 12), np.uint8)
    values[:, 2:6, 3:9] = 3
    place = {"scale": (8, 1.4, 1.2)}
    labels = Labels(values, **place)
    moment = moment_of(Image(values.astype(np.float32), **place), np.zeros_like, labels)
    (own,) = label_sizes(labels)
    assert sizes_of_moment(moment) == pytest.approx({3: own.ml})


def test_every_result_is_a_dot_and_a_click_shows_it(window):
    first, second = window.add(1, 1.1), window.add(2, 0.8)
    assert window.panel.plot.place(first, 1)[1] == pytest.approx(1.1)
    assert window.panel.plot.place(second, 1)[1] == pytest.approx(0.8)
    assert sorted(window.colours()[:2]) == ["#3f9bd8", "#ff9f1c"]
    window.click(first)
    assert [o.request.options.seed for o in window.bench.shown] == [1]
    assert window.bench.variants.current == first
    window.click(second)
    assert [o.request.options.seed for o in window.bench.shown] == [1, 2]
    low, high = window.panel.plot.axes.get_ylim()
    assert low < 0.8 and high > 1.14


def test_a_click_beside_all_dots_does_nothing(window):
    window.add(1, 1.1)
    window.drawn()
    canvas = window.panel.plot.canvas
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(canvas.width() // 2, 3))
    assert window.bench.shown == []


def test_a_search_keeps_what_fits_and_marks_what_does_not(window):
    window.bench.form = request(window.bench.image, window.bench.labels, level=30, seed=1)
    size = label_sizes(window.bench.labels)[0]
    window.panel.wanted.setValue(3)
    window.panel.low.setValue(1.045 * size.shown)
    window.panel.high.setValue(1.5 * size.shown)
    window.panel.search.click()
    assert window.panel.search.text() == "Cancel"
    wait(lambda: not window.search.busy)
    assert sorted(v.inputs.options.seed for v in window.bench.variants.history) == [5, 6, 7]
    assert window.panel.status.text() == "3 of 7 seeds fit" and window.panel.search.text() == "Find"
    colours = window.colours()
    assert colours.count("#8a8a8a") == 4 and colours.count("#3f9bd8") == 3
    window.click(("tried", 1))
    assert [inputs.options.seed for inputs in window.again] == [2]


def test_a_search_ends_after_the_tries_that_are_allowed(window):
    window.panel.low.setValue(0)
    window.panel.high.setValue(0.0)
    window.panel.tries.setValue(4)
    window.panel.search.click()
    wait(lambda: not window.search.busy)
    assert window.panel.status.text() == "0 of 4 seeds fit: no more tries are allowed"
    assert len(window.bench.variants.history) == 0


def test_a_range_that_is_empty_is_refused(window):
    window.panel.low.setValue(2)
    window.panel.high.setValue(1)
    window.panel.search.click()
    assert not window.search.busy and not window.panel.search.isChecked()
    assert "above the largest" in window.panel.status.text()


@pytest.mark.parametrize("what", ["cancel", "labels"])
def test_a_search_that_is_interrupted_computes_no_more(opened, what):
    begun = []

    def endless(asked):
        begun.append(asked.options.seed)
        while len(begun) > 2:
            time.sleep(0.005)
            yield None
        yield sized(asked, 1.0)

    window = opened(endless)
    window.panel.search.click()
    wait(lambda: len(begun) > 2 and len(window.bench.variants.history) == 2)
    if what == "cancel":
        window.panel.search.click()
    else:
        window.sizes.turn_to(window.bench.image, None)
    assert not window.search.busy and window.panel.search.text() == "Find"
    count = len(begun)
    QTest.qWait(50)
    assert len(begun) == count and len(window.bench.variants.history) == 2
    assert window.panel.plot.isVisible() is (what == "cancel")


def test_a_seed_that_does_not_fit_is_left_before_its_proof(make, moment_of):
    bench, order = make(), []

    def generate(asked):
        seed = asked.options.seed
        order.append(f"picture {seed}")
        yield moment_of(bench.image, np.zeros_like, bench.labels if seed > 5 else None)
        order.append(f"proof {seed}")
        yield sized(asked, 1.0)

    ml = label_sizes(bench.labels)[0].ml
    values = search_seeds(generate, bench.form, SizeCondition(1, 0.9 * ml, 1.1 * ml, 1, 9))
    tried = [value for value in values if value is not None]
    assert order == ["picture 5", "picture 6", "proof 6"]
    assert [one.fits for one in tried] == [False, True]
    assert tried[1].outcome.request.snapshot is bench.form.snapshot


def test_a_failure_ends_the_search(opened):
    def failing(asked):
        yield Failure("there is no memory left")

    window = opened(failing)
    window.panel.search.click()
    wait(lambda: not window.search.busy)
    assert window.panel.status.text() == "there is no memory left"


def test_another_image_has_results_of_its_own(window):
    window.add(1, 1.1)
    window.sizes.turn_to(None, None)
    assert window.panel.plot._seeds == () and not window.panel.search.isEnabled()
    assert "Choose labels" in window.panel.status.text()
