"""Variety in the explorer: its control, the recipe behind the layers, and another result."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtTest import QTest

from tests.support.windows import settle, wait


def test_a_variety_is_chosen_recorded_and_seen(window):
    _, explorer = window()
    row = explorer.options.variety
    wait(lambda: explorer.sources.model.value() is not None)
    assert row.slider.isVisibleTo(explorer) and row.value() is None
    own = explorer.sources.model.value().spec.recovery.variety
    assert row.slider.value() == round(100 * own) and row.box.text() == f"model's: {own:.2f}"
    explorer.options.live.setChecked(False)
    found = {}
    for variety in (None, 1.0):
        if variety is not None:
            row.slider.setValue(100)
        assert explorer.values()["variety"] == variety
        explorer.generate()
        settle(explorer)
        source = explorer.sources.image.value()
        layer = explorer.results.layers(source)["image"]
        found[variety] = np.array(layer.data)
        assert layer.metadata["drdm"]["output"] == "image"
        assert explorer.results.outcome(source).result.recipe["options"].get("variety") == variety
    assert not np.array_equal(found[None], found[1.0])
    row.reset.click()
    assert row.value() is None and row.slider.value() == round(100 * own)


def test_a_drag_of_variety_goes_from_recovered_picture_to_recovered_picture(window):
    """The random field does not depend on it, and is not shown again."""
    _, explorer = window()
    explorer.generate()
    settle(explorer)
    moments = []
    explorer.live.shown.connect(moments.append)
    for hundredth in range(10, 90, 4):
        explorer.options.variety.slider.setValue(hundredth)
        QTest.qWait(20)
    settle(explorer)
    assert moments[-1].outcome.request.options.variety == 0.86
    assert all(m.position > 0 for m in moments)
    shown = [m.request.options.variety for m in moments]
    assert shown == sorted(shown)
