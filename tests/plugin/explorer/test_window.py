"""The explorer in a window: generate, cancel, change one's mind, delete, close, export."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import src_core as drdm
from tests.support.windows import drdm_threads, finish, settle, wait


def state(layers) -> list[object]:
    return [
        (layer.name, layer.visible, layer.opacity, layer.scale.tolist(), layer.colormap.name,
         hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).hexdigest())
        for layer in layers
    ]  # fmt: skip


def test_generate_shows_a_result_and_leaves_the_users_layers(window):
    viewer, explorer = window()
    users = list(viewer.layers)
    before = state(users)
    assert explorer.sources.image.value() is users[0]
    assert explorer.sources.labels.value() is users[1]
    text = explorer.sources.geometry_note.text()
    assert "3 x 60 x 52 voxels (z, y, x), 8 x 5.6 x 5.6 mm" in text
    assert explorer.sources.model_note.text() == ""
    for box in explorer.show_panel.boxes.values():
        box.setChecked(True)
    explorer.options.slider.setValue(30)
    explorer.options.seed.setValue(7)
    explorer.run_bar.generate.click()
    finish(explorer)
    outcome = explorer.results.outcome(users[0])
    assert (outcome.result.metrics["level"], outcome.result.metrics["seed"]) == (30, 7)
    assert len(viewer.layers) == 9 and state(users) == before
    assert explorer.metrics.labels.text().splitlines()[1].startswith("label 2\t")
    assert explorer.options.reach.text().startswith("at most")
    assert "arrows: 0 blue, 34 mm or more red" in explorer.show_panel.legend.text()
    assert explorer.sources.image.count() == 1  # results are not offered as sources
    made = explorer.results.layers(users[0])
    explorer.options.following.click()
    assert explorer.options.reach.text() or explorer.options.seed.value() == 8
    explorer.generate()
    finish(explorer)
    assert explorer.results.layers(users[0]) == made and len(viewer.layers) == 9


def test_the_sample_opens_and_its_labels_have_names(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    viewer.open_sample("napari-drdm", "volume")
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    assert [layer.name for layer in viewer.layers] == ["phantom", "phantom labels"]
    text = explorer.sources.geometry_note.text()
    assert "10 x 240 x 208 voxels (z, y, x), 8 x 1.4 x 1.4 mm" in text
    explorer.more.steps.setValue(1)
    explorer.generate()
    finish(explorer)
    assert explorer.metrics.labels.text().splitlines()[1].startswith("RV\t")


def test_cancel_acts_between_steps(window):
    _, explorer = window()
    explorer.more.slices.setCurrentIndex(1)  # three times the steps
    explorer.more.steps.setValue(30)  # on a busy machine too it is not over before the click
    explorer.generate()
    wait(lambda: explorer.runner.progress and explorer.runner.progress.trace)
    explorer.run_bar.cancel.click()
    finish(explorer)
    settle(explorer)
    assert explorer.run_bar.status.text().startswith("Cancelled: the last whole step is shown")
    moment = explorer.results.moment(explorer.sources.image.value())
    assert moment.outcome is None and moment.part is None
    assert sum(map(len, moment.trace._slabs)) < 3 * 31
    assert explorer.metrics.text("Certificate") == "–" and not explorer.run_bar.export.isEnabled()
    assert explorer.run_bar.generate.isEnabled() and not explorer.run_bar.cancel.isEnabled()


def test_the_newest_request_wins(window):
    viewer, explorer = window()
    for seed in (1, 2, 3):
        explorer.options.seed.setValue(seed)
        explorer.generate()
    finish(explorer)
    assert explorer.results.outcome(viewer.layers[0].__wrapped__).result.metrics["seed"] == 3


def test_changing_the_image_mid_run(window):
    viewer, explorer = window()
    first = explorer.sources.image.value()
    other = viewer.add_image(np.random.default_rng(0).random((40, 50)), name="other").__wrapped__
    explorer.generate()
    explorer.sources.image.pick(other)
    assert explorer.sources.labels.value() is None and not explorer.more.slices.isEnabled()
    assert "Stopped" in explorer.run_bar.status.text()
    finish(explorer)
    assert explorer.results.outcome(first) is None
    assert explorer.metrics.text("Largest") == "–"
    explorer.sources.image.pick(first)
    explorer.generate()
    finish(explorer)
    explorer.sources.image.pick(other)
    explorer.sources.image.pick(first)
    assert explorer.metrics.text("Largest").endswith("%")


def test_results_of_another_image_do_not_cover(window):
    viewer, explorer = window()
    first = explorer.sources.image.value()
    explorer.generate()
    settle(explorer)
    ours = explorer.results.layers(first)["image"]
    other = viewer.add_image(first.data[:, ::-1].copy(), name="other", scale=first.scale)
    explorer.sources.image.pick(other.__wrapped__)
    wait(lambda: not ours.visible)
    explorer.generate()
    settle(explorer)
    theirs = explorer.results.layers(other.__wrapped__)["image"]
    explorer.sources.image.pick(first)
    wait(lambda: ours.visible and not theirs.visible)
    assert viewer.layers.index(ours) > viewer.layers.index(other)
    viewer.layers.remove(first)
    wait(lambda: not ours.visible and theirs.visible)


def test_the_largest_seed_has_none_after_it(window):
    _, explorer = window()
    explorer.options.seed.setValue(2**31 - 1)
    explorer.options.following.click()
    assert explorer.options.seed.value() == 2**31 - 1
    explorer.options.seed.setValue(0)
    explorer.options.previous.click()
    assert explorer.options.seed.value() == 0


def test_deleting_the_image_mid_run(window):
    viewer, explorer = window()
    source = explorer.sources.image.value()
    explorer.generate()
    viewer.layers.pop(0)
    finish(explorer)
    assert not explorer.results.outcome(source) and "Stopped" in explorer.run_bar.status.text()
    assert explorer.sources.image.value() is None
    explorer.generate()
    assert "open the image they belong to" in explorer.run_bar.status.text()


def test_closing_mid_run(window):
    viewer, explorer = window()
    explorer.more.slices.setCurrentIndex(1)
    explorer.generate()
    wait(lambda: explorer.runner.busy)
    viewer.close()
    wait(lambda: not drdm_threads(), 10)


def test_removing_the_dock_mid_run(window):
    viewer, explorer = window()
    explorer.generate()
    viewer.window.remove_dock_widget(explorer)
    explorer.deleteLater()
    wait(lambda: not drdm_threads(), 10)
    viewer.add_image(np.zeros((4, 5)))  # nobody listens any more
    viewer.dims.set_current_step(0, 2)


def test_a_dock_that_is_closed_by_its_button_is_gone_with_its_run(window):
    from qtpy.QtTest import QTest

    viewer, explorer = window()
    gone = []
    explorer.destroyed.connect(lambda: gone.append(True))
    explorer.generate()
    dock = explorer.parent()
    while not hasattr(dock, "destroyOnClose"):
        dock = dock.parent()
    count = len(viewer.layers)
    dock.destroyOnClose()
    QTest.qWait(10)
    assert gone
    wait(lambda: not drdm_threads(), 10)
    QTest.qWait(10)
    assert len(viewer.layers) == count


def test_one_complaint_is_shown_once(window):
    from napari.utils.notifications import notification_manager

    viewer, explorer = window()
    explorer.options.live.setChecked(True)
    explorer.sources.labels.pick(viewer.add_labels(np.zeros((4, 5), np.uint8)).__wrapped__)
    notification_manager.records.clear()
    for level in (10, 20, 30):
        explorer.options.slider.setValue(level)
    assert "labels and images of the same voxels" in explorer.run_bar.status.text()
    assert len(notification_manager.records) == 1


@pytest.mark.parametrize("shape", [(60, 52), (3, 2, 60, 52)])
def test_a_slice_and_a_cine(window, shape):
    viewer, explorer = window(shape)
    users = list(viewer.layers)
    explorer.more.steps.setValue(1)
    explorer.show_panel.boxes["arrows"].setChecked(True)
    explorer.generate()
    finish(explorer)
    made = explorer.results.layers(users[0])
    assert made["image"].data.shape == users[0].data.shape
    assert explorer.more.slices.isEnabled() is (users[0].ndim == 4)
    assert np.allclose(made["image"].scale, users[0].scale)


def test_an_export_is_what_generate_makes(window, tmp_path):
    _, explorer = window()
    explorer.generate()
    finish(explorer)
    folder = tmp_path / "out"
    explorer.export(str(folder))
    wait(lambda: "Exported" in explorer.run_bar.status.text())
    recipe = json.loads((folder / "recipe.json").read_text())
    case = drdm.read_case(folder / "input.nii.gz", folder / "input-labels.nii.gz")
    again = drdm.generate(case, drdm.load_model("tiny"), level=48, seed=1)
    assert again.recipe["outputs"] == recipe["outputs"]
    drdm.save_result(again, tmp_path / "shell")
    for file in (tmp_path / "shell").glob("*.nii.gz"):
        assert file.read_bytes() == (folder / file.name).read_bytes(), file.name
    explorer.export(str(folder))
    wait(lambda: "not empty" in explorer.run_bar.status.text())


def test_a_scale_out_of_range_is_reported(window):
    viewer, explorer = window()
    viewer.layers[0].scale = (80, 14, 14)
    explorer.generate()
    assert "Trained at 3 to 6 mm" in explorer.sources.model_note.toolTip()


def test_without_a_model_the_window_says_so(window, tiny_models):
    (tiny_models / "tiny.safetensors").rename(tiny_models.parent / "tiny.safetensors")
    _, explorer = window()
    assert "import one" in explorer.sources.model_note.text()
    explorer.generate()
    assert "choose or import one" in explorer.run_bar.status.text()
    explorer.import_model(str(tiny_models.parent / "tiny.safetensors"))
    wait(lambda: explorer.sources.model.count() == 1)
    assert explorer.sources.model_note.text() == ""
    explorer.import_model(str(tiny_models.parent / "tiny.safetensors"))
    wait(lambda: "there already" in explorer.run_bar.status.text())


def test_every_control_has_a_tooltip_and_takes_the_focus(window):
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

    _, explorer = window()
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider)
    controls = [w for kind in kinds for w in explorer.findChildren(kind)]
    assert len(controls) >= 30
    assert [w for w in controls if not w.toolTip()] == []
    assert [w for w in controls if not w.focusPolicy() & Qt.FocusPolicy.TabFocus] == []
