"""The sample comes with its own model, and a line below the level is of the image chosen."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_drdm.settings import Remembered, save_settings
from tests.support import tiny
from tests.support.windows import finish, settle, wait


def test_the_sample_brings_its_own_model(window, tiny_models) -> None:
    tiny.save(tiny_models, name="cardiac-sax")
    save_settings(Remembered(model="tiny"))
    viewer, explorer = window()
    wait(lambda: explorer.sources.model.value() is not None)
    viewer.layers.clear()
    wait(lambda: explorer.sources.image.value() is None)
    assert explorer.sources.model.value().name == "tiny"
    QTest.mouseClick(explorer.start.sample, Qt.MouseButton.LeftButton)
    wait(lambda: explorer.sources.image.value() is not None)
    assert explorer.sources.model.value().name == "cardiac-sax"
    settle(explorer)


def test_the_line_below_the_level_is_of_the_chosen_image(window) -> None:
    viewer, explorer = window()
    explorer.generate()
    finish(explorer)
    settle(explorer)
    reach = explorer.options.reach
    assert reach.text().startswith("at most") and reach.text().endswith("% of the longer side")
    viewer.add_image(np.random.default_rng(1).random((40, 44)), name="second")
    image = explorer.sources.image
    image.setCurrentIndex(image.findText("second"))
    assert reach.text() == ""
    wait(lambda: reach.text().startswith("random field"))
    image.setCurrentIndex(image.findText("heart"))
    assert reach.text().startswith("at most")
    viewer.layers.clear()
    wait(lambda: explorer.sources.image.value() is None)
    assert reach.text() == ""
