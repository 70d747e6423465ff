"""The slider's preview, the steps, the result; moments of a run; the newest request is next."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import src_core as drdm
from napari_drdm.runs.moments import Moment
from napari_drdm.runs.requests import RunOutcome, Viewed
from src_core.inspection.part_view import Part
from src_core.models.model import Model
from tests.support.windows import settle, wait


def watch(explorer) -> list:
    """Every moment that is shown from now on."""
    moments: list = []
    explorer.live.shown.connect(moments.append)
    return moments


def test_a_drag_shows_random_fields_at_once_and_the_last_result(window):
    _, explorer = window()
    moments = watch(explorer)
    for level in (20, 30, 40, 50):
        explorer.options.slider.setValue(level)
    wait(lambda: moments)
    assert moments[0].position == 0
    assert moments[0].part.fixed == (None, None, 1)  # the slice on view alone
    settle(explorer)
    assert moments[-1].outcome.result.metrics["level"] == 50
    levels = [moment.request.options.level for moment in moments]
    assert levels == sorted(levels)
    assert all(m.position == 0 for m in moments if m.request.options.level < 50)
    positions = [m.position for m in moments if m.request.options.level == 50]
    assert positions == sorted(positions) and moments[-1].part is None
    result = drdm.generate(moments[-1].layer_case.case, drdm.load_model("tiny"), level=50, seed=1)
    assert np.array_equal(moments[-1].displacement, result.displacement)


def test_what_was_seen_comes_back_without_the_network(window, monkeypatch):
    _, explorer = window()
    for level in (30, 31):
        explorer.options.slider.setValue(level)
        settle(explorer)
    before = explorer.results.outcome(explorer.sources.image.value())
    monkeypatch.setattr(Model, "predict", None)
    moments = watch(explorer)
    explorer.options.slider.setValue(30)
    settle(explorer)
    assert moments[0].outcome.result.metrics["level"] == 30
    explorer.options.slider.setValue(31)
    settle(explorer)
    again = explorer.results.outcome(explorer.sources.image.value())
    assert again.result is before.result


def test_any_moment_of_a_run(window):
    _, explorer = window()
    explorer.generate()
    settle(explorer)
    source = explorer.sources.image.value()
    layers = explorer.results.layers(source)
    end = layers["image"].data.copy()
    explorer.show_panel.set_kinds({"image", "labels", "arrows"})
    recovery = explorer.recovery
    assert recovery.isEnabled() and recovery.at_end and recovery.slider.maximum() == 40
    recovery.slider.setValue(15)
    settle(explorer)
    moment = explorer.results.moment(source)
    assert moment.position == 1.5 and moment.outcome is None and moment.part is None
    trace = moment.trace
    field = trace.view.field(trace.at(1.5))
    assert np.array_equal(moment.displacement, field)
    assert "step 1.5 of 4" in recovery.numbers.text()
    assert not np.array_equal(layers["image"].data, end)
    assert explorer.results.outcome(source) is not None  # the result is kept
    recovery.slider.setValue(40)
    settle(explorer)
    assert np.array_equal(layers["image"].data, end)


def test_play_goes_from_random_to_recovered(window):
    _, explorer = window()
    explorer.generate()
    settle(explorer)
    moments = watch(explorer)
    explorer.recovery.play.click()
    assert explorer.recovery.playing
    wait(lambda: not explorer.recovery.playing)
    settle(explorer)
    positions = [moment.position for moment in moments]
    assert positions == sorted(positions) and positions[-1] == 4 and len(set(positions)) > 3


def test_without_live_nothing_is_computed(window):
    _, explorer = window()
    explorer.options.live.setChecked(False)
    moments = watch(explorer)
    explorer.options.slider.setValue(20)
    settle(explorer)
    assert not moments and not explorer.live.waiting
    explorer.run_bar.generate.click()
    settle(explorer)
    assert moments[-1].outcome.result.metrics["level"] == 20


def test_level_0_is_the_image(window):
    viewer, explorer = window()
    explorer.options.slider.setValue(0)
    settle(explorer)
    shown = explorer.results.layers(explorer.sources.image.value())
    assert np.array_equal(shown["image"].data, viewer.layers[0].data)
    assert not explorer.recovery.isEnabled()


def test_another_slice_is_renewed_while_a_moment_is_shown(window):
    viewer, explorer = window()
    explorer.options.live.setChecked(False)
    explorer.generate()
    settle(explorer)
    explorer.recovery.slider.setValue(5)
    viewer.dims.set_current_step(0, 2)
    settle(explorer)
    moment = explorer.results.moment(explorer.sources.image.value())
    assert moment.position == 0.5 and moment.part is None


def test_a_run_outlives_the_image_that_was_looked_at(window):
    _, explorer = window((60, 52))
    wait(lambda: explorer.sources.model.value() is not None)
    elsewhere = Viewed(Part((None, None, 7), 3), field=True)
    for slices in ("shared", "each"):
        explorer.more.place({"steps": 2, "slices": slices})
        request = explorer.form_reader.request()
        compute = explorer.runner.compute
        made = [*compute.preview(request, elsewhere), *compute.run(request, elsewhere)]
        assert isinstance(made[-1], RunOutcome)
        assert all(
            moment.images[0].shape == (60, 52) for moment in made if isinstance(moment, Moment)
        )


def test_a_region_is_drawn(window):
    viewer, explorer = window()
    explorer.more.region_asked.emit()
    shapes = viewer.layers[-1].__wrapped__
    assert explorer.more.region.value() is shapes and shapes.mode == "add_rectangle"
    z = 1.0
    shapes.add_rectangles(np.array([[z, 10, 8], [z, 10, 40], [z, 45, 40], [z, 45, 8]]))
    settle(explorer)
    result = explorer.results.outcome(explorer.sources.image.value()).result
    assert result.recipe["options"]["region"] == ((8, 41), (10, 46), (0, 3))
    moved = np.linalg.norm(result.displacement, axis=-1) > 0
    assert moved.any() and not moved[:8].any() and not moved[:, 46:].any()


def test_other_layers_go_through_the_same_field(window):
    viewer, explorer = window()
    first = explorer.sources.image.value()
    twice = viewer.add_image(2 * first.data, name="twice", scale=first.scale).__wrapped__
    inverted = viewer.add_labels(
        (first.data == 0).astype(np.uint8), name="none", scale=first.scale
    ).__wrapped__
    explorer.more.extras.tick([twice, inverted])
    settle(explorer)
    case = explorer.results.outcome(first).result.case
    assert len(case.images) == 2 and len(case.labels) == 2
    difference = case.images[1].data.astype(int) - 2 * case.images[0].data.astype(int)
    assert np.abs(difference).max() <= 1
    assert {"image", "image 2", "labels", "labels 2"} <= set(explorer.results.layers(first))


@pytest.mark.parametrize("what", ["image", "labels"])
def test_an_edit_of_a_layer_is_seen(window, what):
    viewer, explorer = window()
    explorer.generate()
    settle(explorer)
    layer = viewer.layers[0 if what == "image" else 1]
    before = explorer.results.outcome(explorer.sources.image.value()).result
    layer.data[1, 20:30, 15:25] = 0
    layer.refresh()
    explorer.generate()
    settle(explorer)
    after = explorer.results.outcome(explorer.sources.image.value()).result
    assert before.recipe["inputs"]["arrays"][what] != after.recipe["inputs"]["arrays"][what]
