"""The view of an overlay is the slice that napari draws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_drdm.overlays import view_of
from napari_drdm.overlays.view import Plane
from tests.support.overlays import OBLIQUE, opened, picture

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
@pytest.mark.parametrize("oblique", [False, True])
def test_the_view_is_the_slice_that_napari_draws(order, oblique):
    around = {"affine": OBLIQUE[[2, 1, 0, 3]][:, [2, 1, 0, 3]], "scale": (1, 1, 1)}
    viewer, image, _ = opened(**around) if oblique else opened()
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], viewer.dims.nsteps[order[0]] // 2)
    view = view_of(image, viewer.dims, 3)
    (axis, index), *rest = view.fixed
    assert axis == order[0] and not rest and view.shown == order[1:] and view.spatial
    drawn = np.asarray(image._slice.image.raw)
    expected = np.take(image.data, index, axis=axis)
    assert np.array_equal(drawn, expected if order[1] < order[2] else expected.T)
    assert view.planes == (Plane(order[1], order[2], ((axis, index),)),)


def test_units_of_the_viewer_count():
    viewer = ViewerModel()
    image = viewer.add_image(picture(), scale=(4000, 1200, 1500), units="um")
    viewer.layers.units = ("mm", "mm", "mm")
    viewer.dims.set_point(0, 4.0 * 9)
    assert view_of(image, viewer.dims, 3).fixed == ((0, 9),)
    assert np.array_equal(np.asarray(image._slice.image.raw), image.data[9])
