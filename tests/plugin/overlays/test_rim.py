"""The small picture of a Jacobian in the layer list."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.layers import Image

from napari_drdm.overlays import JACOBIAN_LIMITS, jacobian_colormap
from napari_drdm.overlays.rim import keep_rim_true


@pytest.mark.parametrize("shape", [(256, 256), (256, 216), (120, 256), (34, 46)])
def test_the_small_picture_of_determinants_has_no_rim_of_folds(shape):
    def folds(layer):
        red, green, blue, _ = np.moveaxis(layer.thumbnail.astype(int), -1, 0)
        return (red > 0) & (green == 0) & (red == blue)

    det = np.random.default_rng(0).uniform(0.5, 2, shape).astype(np.float32)
    moment = {"colormap": jacobian_colormap(), "contrast_limits": JACOBIAN_LIMITS}
    assert folds(Image(np.ones((256, 256)), **moment)).any(), "napari has mended it: delete the rim"
    layer = keep_rim_true(Image(det, opacity=0.8, **moment))
    assert not folds(layer).any()
    layer.data = det + 0.1
    assert not folds(layer).any() and layer.thumbnail.any()
    middle = det.copy()
    middle[shape[0] // 3 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = -1
    layer.data = middle
    assert folds(layer).any()
