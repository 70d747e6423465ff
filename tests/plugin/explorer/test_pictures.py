"""A photograph, and a mask opened as an image, as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qtpy.QtCore", reason="no Qt binding is installed", exc_type=ImportError)

from napari.layers import Labels
from PIL import Image as Picture
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.support.windows import finish, wait


def photograph(path: Path) -> Path:
    rows, columns = np.indices((60, 52))
    pixels = np.stack([rows * 4, columns * 4, (rows + columns) * 2], axis=-1).astype(np.uint8)
    Picture.fromarray(pixels).save(path)
    return path


def test_a_photograph_and_a_mask(make_napari_viewer_proxy, tiny_models, tmp_path):
    viewer = make_napari_viewer_proxy()
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: not explorer.models.loading)
    viewer.open(str(photograph(tmp_path / "photo.png")), plugin="napari")
    assert explorer.sources.image.count() == 1 and explorer.run_bar.generate.isEnabled()
    assert "no image" not in explorer.run_bar.status.text()
    assert "60 x 52 pixels (rows, columns)" in explorer.sources.geometry_note.text()
    mask = np.zeros((60, 52))
    mask[20:40, 15:30] = 3
    viewer.add_image(mask, name="mask")
    explorer.sources.image.setCurrentText("mask")
    wait(lambda: not explorer.sources.convert.isHidden())
    QTest.mouseClick(explorer.sources.convert, Qt.MouseButton.LeftButton)
    assert isinstance(viewer.layers["mask"], Labels) or "Labels" in str(
        type(getattr(viewer.layers["mask"], "__wrapped__", None))
    )
    wait(lambda: explorer.sources.convert.isHidden())
    assert explorer.sources.image.count() == 1
    assert explorer.sources.labels.currentText() == "mask"
    explorer.options.slider.setValue(40)
    QTest.mouseClick(explorer.run_bar.generate, Qt.MouseButton.LeftButton)
    finish(explorer)
    made = explorer.results.layers(explorer.sources.image.value())
    assert made["image"].rgb and made["image"].data.shape == (60, 52, 3)
    assert not np.array_equal(made["image"].data, viewer.layers["photo"].data)
    assert explorer.metrics.labels.text().splitlines()[1].startswith("label 3\t3\t300\t")
    explorer.more.options.controls["guide"].widget.setValue(1)
    finish(explorer)
    outcome = explorer.results.outcome(explorer.sources.image.value())
    assert outcome.request.options.guide == 1
    explorer.export(str(tmp_path / "out"))
    wait(lambda: (tmp_path / "out" / "metrics.json").is_file())
    written = np.asarray(Picture.open(tmp_path / "out" / "image.png"))
    np.testing.assert_array_equal(written, made["image"].data)
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    arrays = recipe["inputs"]["arrays"]
    assert {Path(arrays[f"image{n}"]["path"]).name for n in ("", "-2", "-3")} == {"photo.png"}
    assert recipe["options"]["guide"] == 1
