"""The explorer in a window: generate, cancel, change one's mind, delete, close, export."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import torch
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

import src_core as drdm
from src_core import library
from src_core.checkpoint import save_model
from src_core.model import ModelSpec
from src_core.nn import build

SPEC = {
    "name": "tiny", "size": 64, "mm_per_pixel": (3.0, 6.0),
    "schedule": {"control": 32, "components": (32, 16, 8)},
    "network": {"kind": "velocity-unet", "stem": 4, "widths": (8, 8), "output_stage": 0,
                "middle": 1, "heads": 1, "embedding": 8, "groups": 2},
    "recovery": {"steps": 4},
}  # fmt: skip


MM = ("pixel", "mm", "mm", "mm")


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    folder = tmp_path / "models"
    folder.mkdir()
    spec = ModelSpec.model_validate(SPEC)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_model(folder / "tiny.safetensors", spec, build(spec.network))
    monkeypatch.setattr(library, "user_folder", lambda: folder)
    monkeypatch.setattr(library, "_shipped_folder", lambda: tmp_path / "none")
    return folder


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A viewer with an image and its labels, and the explorer as its plugin."""

    def opened(shape=(3, 60, 52)):
        viewer = make_napari_viewer_proxy()
        place = {"scale": (1, 8, 5.6, 5.6)[4 - len(shape) :], "units": MM[4 - len(shape) :]}
        box = np.zeros(shape, np.uint8)
        box[..., 15:35, 12:30] = 2
        noise = np.random.default_rng(0).integers(0, 50, shape).astype(np.int16)
        viewer.add_image(noise + 200 * box, name="heart", **place)
        viewer.add_labels(box, name="heart labels", opacity=0.4, **place)
        _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
        return viewer, explorer

    yield opened
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def wait(ready, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)
    assert ready()


def finish(explorer) -> None:
    wait(lambda: not explorer.runner.busy)


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
    assert "52 x 60 x 3, 5.6 x 5.6 x 8 mm" in explorer.sources.geometry_note.text()
    assert explorer.sources.model_note.text() == ""
    for box in explorer.show_panel.boxes.values():
        box.setChecked(True)
    explorer.options.slider.setValue(30)
    explorer.options.seed.setValue(7)
    explorer.run_bar.generate.click()
    finish(explorer)
    outcome = explorer.results.outcome(users[0])
    assert (outcome.result.metrics["level"], outcome.result.metrics["seed"]) == (30, 7)
    assert len(viewer.layers) == 6 and state(users) == before
    assert explorer.metrics.text("Labels").startswith("label 2 ")
    assert explorer.options.reach.text().startswith("at most")
    assert "arrows: 0 mm blue, 34 mm red" in explorer.show_panel.legend.text()
    assert explorer.sources.image.count() == 1  # results are not offered as sources
    made = explorer.results.layers(users[0])
    explorer.options.following.click()
    assert explorer.options.reach.text() or explorer.options.seed.value() == 8
    explorer.generate()
    finish(explorer)
    assert explorer.results.layers(users[0]) == made and len(viewer.layers) == 6


def test_the_sample_opens_and_its_labels_have_names(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    viewer.open_sample("napari-drdm", "volume")
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    assert [layer.name for layer in viewer.layers] == ["phantom", "phantom labels"]
    assert "208 x 240 x 10, 1.4 x 1.4 x 8 mm" in explorer.sources.geometry_note.text()
    explorer.options.steps.setValue(1)
    explorer.generate()
    finish(explorer)
    assert explorer.metrics.text("Labels").startswith("RV ")


def test_cancel_acts_between_steps(window):
    viewer, explorer = window()
    explorer.options.slices.setCurrentIndex(1)  # three times the steps
    explorer.generate()
    wait(lambda: explorer.run_bar.progress.maximum() > 1)
    explorer.run_bar.cancel.click()
    finish(explorer)
    assert len(viewer.layers) == 2 and explorer.run_bar.status.text() == "Cancelled"
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
    assert explorer.sources.labels.value() is None and not explorer.options.slices.isEnabled()
    finish(explorer)
    assert set(explorer.results.layers(first)) == {"image", "labels"}
    assert explorer.metrics.text("Largest") == "–"
    explorer.sources.image.pick(first)
    assert explorer.metrics.text("Largest").endswith("%")


def test_deleting_the_image_mid_run(window):
    viewer, explorer = window()
    explorer.generate()
    viewer.layers.pop(0)
    finish(explorer)
    assert len(viewer.layers) == 1 and "removed" in explorer.run_bar.status.text()
    assert explorer.sources.image.value() is None
    explorer.generate()
    assert "open an image" in explorer.run_bar.status.text()


def test_closing_mid_run(window):
    viewer, explorer = window()
    explorer.options.slices.setCurrentIndex(1)
    explorer.generate()
    wait(lambda: explorer.run_bar.progress.maximum() > 1)
    viewer.close()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, 10)


def test_removing_the_dock_mid_run(window):
    viewer, explorer = window()
    explorer.generate()
    viewer.window.remove_dock_widget(explorer)
    explorer.deleteLater()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, 10)
    viewer.add_image(np.zeros((4, 5)))  # nobody listens any more
    viewer.dims.set_current_step(0, 2)


@pytest.mark.parametrize("shape", [(60, 52), (3, 2, 60, 52)])
def test_a_slice_and_a_cine(window, shape):
    viewer, explorer = window(shape)
    users = list(viewer.layers)
    explorer.options.steps.setValue(1)
    explorer.show_panel.boxes["arrows"].setChecked(True)
    explorer.generate()
    finish(explorer)
    made = explorer.results.layers(users[0])
    assert made["image"].data.shape == users[0].data.shape
    assert explorer.options.slices.isEnabled() is (users[0].ndim == 4)
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


def test_a_scale_out_of_range_is_told(window):
    viewer, explorer = window()
    viewer.layers[0].scale = (80, 14, 14)
    explorer.generate()
    assert "Trained at 3 to 6 mm" in explorer.sources.model_note.text()


def test_without_a_model_the_window_says_so(window, models):
    (models / "tiny.safetensors").rename(models.parent / "tiny.safetensors")
    _, explorer = window()
    assert "import one" in explorer.sources.model_note.text()
    explorer.generate()
    assert "choose a model" in explorer.run_bar.status.text()
    explorer.import_model(str(models.parent / "tiny.safetensors"))
    wait(lambda: explorer.sources.model.count() == 1)
    assert explorer.sources.model_note.text() == ""
    explorer.import_model(str(models.parent / "tiny.safetensors"))
    wait(lambda: "there already" in explorer.run_bar.status.text())


def test_every_control_has_a_tooltip_and_takes_the_focus(window):
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

    _, explorer = window()
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider)
    controls = [w for kind in kinds for w in explorer.findChildren(kind)]
    assert len(controls) >= 16
    assert [w for w in controls if not w.toolTip()] == []
    assert [w for w in controls if not w.focusPolicy() & Qt.FocusPolicy.TabFocus] == []
