"""Variety in the explorer: its control, the recipe behind the layers, and another result."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from tests.support.windows import settle


def test_a_variety_is_chosen_recorded_and_seen(window):
    _, explorer = window()
    assert explorer.more.options.controls["variety"].widget.isVisibleTo(explorer.more)
    assert explorer.more.values()["variety"] is None
    found = {}
    for variety in (None, 1.0):
        explorer.more.place({"variety": variety})
        assert explorer.more.values()["variety"] == variety
        explorer.generate()
        settle(explorer)
        source = explorer.sources.image.value()
        layer = explorer.results.layers(source)["image"]
        found[variety] = np.array(layer.data)
        assert layer.metadata["drdm"]["output"] == "image"
        assert explorer.results.outcome(source).result.recipe["options"].get("variety") == variety
    assert not np.array_equal(found[None], found[1.0])
