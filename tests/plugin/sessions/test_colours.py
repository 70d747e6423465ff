"""Layers in colour in a session: from their picture, or stored in the session itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image
from PIL import Image as Picture

from napari_drdm.sessions.found_layers import FoundLayer, find_layer, layer_settings
from napari_drdm.sessions.taken_layers import identified, take_layer

PIXELS = np.indices((3, 20, 24)).sum(0).transpose(1, 2, 0).astype(np.uint8) * 5


@pytest.mark.parametrize("filed", [True, False])
def test_a_picture_comes_back_in_colour(filed: bool, tmp_path: Path) -> None:
    about = {}
    if filed:
        Picture.fromarray(PIXELS).save(tmp_path / "leaf.png")
        about = {"metadata": {"drdm": {"path": str(tmp_path / "leaf.png")}}}
    made = identified(take_layer(Image(PIXELS, rgb=True, name="leaf", **about), 1))
    session = tmp_path / "one.drdm"
    (session / "sources").mkdir(parents=True)
    assert (made.write is None) is filed
    if made.write is not None:
        made.write(session / str(made.record.stored))
    found = find_layer(made.record, session)
    assert isinstance(found, FoundLayer)
    again = Image(found.values, **layer_settings(found))
    assert again.rgb and again.data.dtype == np.uint8
    np.testing.assert_array_equal(again.data, PIXELS)
