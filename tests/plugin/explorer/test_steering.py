"""Targets in the explorer: sliders, dragged points, what came of them, and what interrupts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from benchmarks.window.dragging import drag as drag_slider
from src_core.steering.kinds import HoldTarget, PointTarget, SizeTarget
from tests.support import canvas as mouse
from tests.support.windows import finish, settle, wait

CONTROL = Qt.KeyboardModifier.ControlModifier


class Bench:
    """A window with a first result, and every moment that is shown from then on."""

    def __init__(self, window: Any, shape: tuple[int, ...] = (60, 52)) -> None:
        self.viewer, self.explorer = window(shape)
        wait(lambda: self.explorer.sources.model.value() is not None)
        self.explorer.options.slider.setValue(24)
        self.explorer.generate()
        self.settle()
        self.panel = self.explorer.targets
        self.explorer.sections["Targets"].set_open(True)
        self.source = self.explorer.sources.image.value()
        self.moments: list[Any] = []
        self.failures: list[str] = []
        self.explorer.live.shown.connect(self.moments.append)
        self.explorer.steering.failed.connect(self.failures.append)
        whole = mouse.canvas(self.viewer).window()  # shortcuts need a window that is shown
        whole.show()
        whole.activateWindow()
        QTest.qWait(300)

    def settle(self) -> None:
        settle(self.explorer)

    @property
    def outcome(self) -> Any:
        return self.explorer.results.outcome(self.source)

    def asked(self) -> tuple[Any, ...]:
        return self.outcome.request.options.targets

    def at(self, y: float, x: float) -> Any:
        leading = self.viewer.dims.current_step[: self.source.ndim - 2]
        return mouse.point(self.viewer, self.source, (*leading, y, x))

    def pull(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse.drag(self.viewer, self.at(*start), self.at(*end))

    def picture(self) -> np.ndarray:
        return np.array(self.explorer.results.layers(self.source)["image"].data)


@pytest.fixture
def bench(window) -> Bench:
    return Bench(window)


def test_a_slider_asks_for_a_size_and_the_row_shows_what_came_of_it(bench):
    row = bench.panel.rows[2]
    assert row.label.unit == "mm²" and row.label.size == pytest.approx(20 * 18 * 5.6**2, rel=1e-6)
    drag_slider(row.factor.slider, 0, 20, 0.01)
    bench.settle()
    (target,) = bench.asked()
    assert isinstance(target, SizeTarget) and target.area and target.label == 2
    assert target.amount.low == row.factor.value()
    outcome = bench.outcome.result.targets[0]
    asked, got = outcome.asked * row.label.size, outcome.got * row.label.size
    assert f"asked {asked:.3g}, got {got:.3g} mm²" in row.note()
    assert row.note().endswith(": reached") is outcome.within
    assert len(bench.moments) >= 3 and any(m.displacement is None for m in bench.moments)
    row.factor.reset.click()
    bench.settle()
    assert bench.asked() == () and row.note().startswith("source") and "asked" not in row.note()


def test_a_point_is_pulled_and_the_anatomy_follows(bench):
    before = bench.picture()
    bench.panel.drag.click()
    mouse.click(bench.viewer, bench.at(50, 10), Qt.MouseButton.RightButton)
    bench.settle()
    bench.moments.clear()
    start, end = bench.at(25, 20), bench.at(28, 25)
    mouse.press(bench.viewer, start)
    mouse.move(bench.viewer, start, end, steps=12, wait=40)
    assert not bench.explorer.runner.busy
    pictures = [m for m in bench.moments if m.outcome is None]
    assert len(pictures) >= 3 and all(m.displacement is None for m in pictures)
    assert not np.array_equal(bench.picture(), before)
    mouse.release(bench.viewer, end)
    bench.settle()
    held, pulled = bench.asked()
    assert isinstance(pulled, PointTarget) and isinstance(held, PointTarget)
    assert bench.moments[-1].outcome is bench.outcome
    assert "1 point pulled, 1 point held: " in bench.panel._points.text()
    reached = bench.outcome.result.targets
    assert all(o.error < 0.6 for o in reached), [o.error for o in reached]


def test_undo_goes_back_to_the_result_before(bench):
    first = bench.outcome.result
    bench.panel.drag.click()
    bench.pull((25, 20), (28, 24))
    bench.settle()
    second = bench.outcome.result
    assert second is not first
    mouse.key(bench.viewer, Qt.Key.Key_Z, CONTROL)
    bench.settle()
    assert (
        bench.outcome.result is first and bench.asked() == () and not bench.panel.undo.isEnabled()
    )
    bench.pull((25, 20), (28, 24))
    bench.settle()
    bench.panel.undo.click()
    bench.settle()
    assert bench.outcome.result is first


def test_escape_while_dragging_brings_the_result_back(bench):
    before, first = bench.picture(), bench.outcome.result
    bench.panel.drag.click()
    start, end = bench.at(25, 20), bench.at(30, 28)
    mouse.press(bench.viewer, start)
    mouse.move(bench.viewer, start, end, wait=40)
    assert not np.array_equal(bench.picture(), before)
    mouse.key(bench.viewer, Qt.Key.Key_Escape)
    bench.settle()
    mouse.release(bench.viewer, end)
    bench.settle()
    assert np.array_equal(bench.picture(), before) and bench.outcome.result is first
    assert bench.panel.drag.isChecked() and bench.explorer.steering.drag.pulls == ()


@pytest.mark.parametrize("what", ["labels", "image", "close"])
def test_what_interrupts_a_drag_leaves_nothing_of_it(bench, what):
    other = np.random.default_rng(1).integers(0, 99, (60, 52)).astype(np.int16)
    second = bench.viewer.add_image(other, name="second", scale=(5.6, 5.6))
    callbacks = list(bench.viewer.mouse_drag_callbacks)
    bench.panel.drag.click()
    start, end = bench.at(25, 20), bench.at(30, 28)
    mouse.press(bench.viewer, start)
    mouse.move(bench.viewer, start, end, wait=20)
    steering = bench.explorer.steering
    if what == "labels":
        bench.explorer.sources.labels.setCurrentIndex(0)
        bench.explorer.sources.labels.activated.emit(0)
        assert bench.panel.rows == {}
    elif what == "image":
        bench.explorer.sources.image.pick(getattr(second, "__wrapped__", second))
        assert steering.drag.pulls == () and not bench.panel.drag.isChecked()
    else:
        bench.viewer.window.remove_dock_widget("all")
    mouse.release(bench.viewer, end)
    if what == "close":
        QTest.qWait(50)
        assert list(bench.viewer.mouse_drag_callbacks) == callbacks
        return
    bench.settle()
    assert all(m.request.source is bench.source for m in bench.moments if m.outcome is not None)


def test_a_newer_target_ends_a_run_and_cancel_ends_it_whole(bench):
    bench.explorer.options.live.setChecked(False)
    row = bench.panel.rows[2]
    row.factor.box.setValue(1.2)
    bench.explorer.generate()
    wait(lambda: bench.explorer.runner.busy)
    row.factor.box.setValue(0.9)
    bench.explorer.generate()
    bench.settle()
    assert [t.amount.low for t in bench.asked()] == [0.9]
    row.factor.box.setValue(1.1)
    bench.explorer.generate()
    wait(lambda: bench.explorer.runner.progress and bench.explorer.runner.progress.trace)
    assert bench.explorer.runner.progress.doing.startswith("round ")
    bench.explorer.run_bar.cancel.click()
    finish(bench.explorer)
    bench.settle()
    assert [t.amount.low for t in bench.asked()] == [0.9]
    assert bench.explorer.run_bar.status.text().startswith("Cancelled")


def test_a_result_that_is_shown_again_brings_its_targets(bench):
    bench.panel.rows[2].hold.click()
    bench.panel.drag.click()
    bench.pull((40, 40), (42, 42))
    bench.settle()
    assert [type(t) for t in bench.asked()] == [HoldTarget, PointTarget]
    first, *_ = reversed(list(bench.explorer.variants.history))
    newest = next(iter(bench.explorer.variants.history))
    assert newest.name.endswith(" T2")
    bench.explorer.variants.choose(first.number)
    bench.settle()
    assert not bench.panel.rows[2].hold.isChecked() and bench.explorer.steering.drag.pulls == ()
    bench.explorer.variants.choose(newest.number)
    bench.settle()
    assert bench.panel.rows[2].hold.isChecked() and len(bench.explorer.steering.drag.pulls) == 1
    assert "held" in bench.panel.rows[2].note()
    bench.panel.reset.click()
    bench.settle()
    assert bench.asked() == () and not bench.panel.rows[2].hold.isChecked()


def test_bad_further_targets_are_one_line_and_start_nothing(bench):
    for text in ("volume 2 x0", "size 2", "place 2 +4,0,0", "hold 9"):
        bench.panel.further.setText(text)
        bench.panel.further.editingFinished.emit()
        bench.settle()
        line = bench.explorer.run_bar.status.text()
        assert line and "\n" not in line and "Traceback" not in line
    assert bench.asked() == ()


def test_a_stack_takes_points_on_the_slice_on_view(window):
    bench = Bench(window, (3, 60, 52))
    bench.viewer.dims.set_current_step(0, 1)
    bench.panel.drag.click()
    bench.pull((25, 20), (28, 24))
    bench.settle()
    (target,) = bench.asked()
    (outcome,) = bench.outcome.result.targets
    assert target.start[2] == pytest.approx(8.0) and outcome.error < 0.6
    assert len(bench.explorer.steering.drag.marks) == 1
    bench.viewer.dims.set_current_step(0, 0)
    assert len(bench.explorer.steering.drag.marks) == 1  # one deformation serves all slices


def test_without_live_a_drag_is_seen_and_computed_on_generate(bench):
    bench.explorer.options.live.setChecked(False)
    before = bench.outcome.result
    bench.panel.drag.click()
    bench.pull((25, 20), (28, 24))
    bench.settle()
    assert bench.moments and bench.outcome.result is before
    bench.explorer.generate()
    bench.settle()
    assert len(bench.asked()) == 1
