"""Variants in the explorer's window, with a model: what is shown side by side is what is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QThreadPool

from tests.support import tiny
from tests.support.variants import tiles
from tests.support.windows import wait


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    tiny.save(tmp_path, recovery={"steps": 2})
    tiny.only_models_of(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A viewer with an image, and the explorer as its plugin."""
    viewer = make_napari_viewer_proxy()
    data = np.random.default_rng(0).integers(0, 200, (60, 52)).astype(np.int16)
    viewer.add_image(data, name="heart", scale=(5.6, 4.9))
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: explorer.sources.model.count() == 1)
    yield viewer, explorer
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def generate(explorer, level: int, seed: int) -> None:
    explorer.options.level.setValue(level)
    explorer.options.seed.setValue(seed)
    before = {id(v.outcome) for v in explorer.variants.history}
    explorer.generate()
    wait(lambda: not explorer.runner.busy)
    wait(lambda: {id(v.outcome) for v in explorer.variants.history} - before)


def test_nine_seeds_are_what_generate_makes(window):
    viewer, explorer = window
    source = explorer.sources.image.value()
    generate(explorer, 40, 2)
    made = explorer.results.layers(source)["image"].data.copy()
    explorer.variants_panel.delete_asked.emit(
        [v.number for v in explorer.variants.history]
    )  # so that it is computed anew
    explorer.options.seed.setValue(1)
    wait(lambda: not explorer.runner.busy)
    count = len(viewer.layers)
    explorer.variants_panel.buttons["grid"].click()
    wait(lambda: len(viewer.layers) == count + 1)
    assert explorer.sources.image.count() == 1  # the nine are not offered
    wait(lambda: not explorer.variants.seeds.busy)
    nine = tiles(viewer.layers["S1 L40 to S9 | drdm"])
    assert np.array_equal(nine[1], made) and not np.array_equal(nine[2], made)
    explorer.variants_panel.buttons["grid"].click()
    assert len(viewer.layers) == count


def test_a_click_puts_back_what_was_shown(window):
    viewer, explorer = window
    source = explorer.sources.image.value()
    generate(explorer, 40, 2)
    first = next(iter(explorer.variants.history))
    made = explorer.results.layers(source)["image"].data.copy()
    generate(explorer, 40, 3)
    assert not np.array_equal(explorer.results.layers(source)["image"].data, made)
    viewer.layers.remove(explorer.results.layers(source)["image"])
    explorer.variants_panel.chosen.emit(first.number)
    wait(lambda: np.array_equal(explorer.results.layers(source)["image"].data, made))
    assert explorer.results.layers(source)["image"] in viewer.layers
    assert explorer.options.seed.value() == 2
    explorer.variants_panel.buttons["blink"].click()
    assert viewer.layers[-1].name.startswith("B: L40 S")
    viewer.layers.remove(source)
    wait(lambda: not explorer.variants_panel.buttons["blink"].isChecked())
    assert explorer.variants_panel.strip.count() == 2 and source not in viewer.layers


def test_what_is_made_again_is_made_by_its_own_model(window, models):
    _, explorer = window
    generate(explorer, 40, 2)
    made = explorer._outcome()
    tiny.save(models, recovery={"steps": 2}, name="other")
    explorer.models.refresh("other")
    assert explorer.sources.model.value().name == "other" and explorer._outcome() is made
    first = next(iter(explorer.variants.history))
    first.outcome = None  # its bytes were needed for others
    explorer.runner.compute.runs.clear()
    explorer.variants_panel.chosen.emit(first.number)
    wait(lambda: first.outcome is not None)
    assert explorer.sources.model.value().name == "tiny"
    assert first.outcome.result.metrics["model"] == "tiny"
    assert np.array_equal(first.outcome.result.displacement, made.result.displacement)
    assert len(explorer.variants.history) == 1


def test_nine_seeds_of_an_image_with_fewer_axes_than_the_viewer(window):
    viewer, explorer = window
    viewer.add_image(np.zeros((2, 60, 52)), name="volume", scale=(8, 5.6, 4.9))
    explorer.variants_panel.buttons["grid"].click()
    assert explorer.variants.seeds.active
    wait(lambda: not explorer.variants.seeds.busy)
    explorer.variants_panel.buttons["grid"].click()
    assert not explorer.variants.seeds.active


def test_closing_the_window_ends_nine_seeds(window):
    viewer, explorer = window
    explorer.variants_panel.buttons["grid"].click()
    wait(lambda: explorer.variants.seeds.busy)
    viewer.close()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
