"""Arrows join tissue and where it came from, by closed form and by the inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from napari_drdm.overlays import DrawingStyle, View, arrows
from src_core.fields import invert
from tests.support.overlays import SCALE, SHAPE, field_of, opened, views, wave

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


@pytest.mark.parametrize("view", views(), ids=str)
@pytest.mark.parametrize("goes", [False, True])
def test_arrows_join_tissue_and_where_it_came_from(moment_of, view, goes):
    moment = moment_of(opened()[1], wave)
    drawn = arrows(field_of(moment), view, DrawingStyle(arrows=300, goes=goes))
    starts, ends = drawn.segments[:, 0], drawn.segments.sum(axis=1)
    new, source = (ends, starts) if goes else (starts, ends)
    moved = wave(new[:, ::-1])[:, ::-1]
    shown = list(view.shown)
    assert np.allclose(source[:, shown], (new + moved)[:, shown], atol=1e-5)
    for axis, index in view.fixed:
        assert (starts[:, axis] == index).all() and (ends[:, axis] == index).all()
    assert np.allclose(drawn.mm, np.linalg.norm(moved * SCALE, axis=1), atol=1e-4)
    limits = np.asarray(SHAPE) - 0.5
    assert 100 < len(starts) <= 300
    assert all(((p >= -0.5) & (p <= limits)).all() for p in (starts, ends))


def test_arrows_that_go_are_those_of_the_inverse(moment_of):
    moment = moment_of(opened()[1], wave)
    volume = View((0, 1, 2), (), (5, 20, 11))
    drawn = arrows(field_of(moment), volume, DrawingStyle(arrows=200, goes=True)).segments
    u = moment.layer_case.case.grid.to_voxels(moment.displacement)
    backward = invert(torch.from_numpy(np.moveaxis(u, -1, 0)[None].copy())).displacement[0]
    limits = np.asarray(SHAPE) - 6  # at its rim the inverse has a kink, which splines round off
    drawn = drawn[((drawn >= 5) & (drawn <= limits))[:, 0].all(axis=1)]
    at = drawn[:, 0, ::-1].T
    there = np.stack([map_coordinates(w, at, order=3, mode="nearest") for w in backward.numpy()])
    assert len(drawn) > 40 and np.abs(there.T[:, ::-1] - drawn[:, 1]).max() < 0.05


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_longer_arrows_start_at_the_same_places(moment_of, scale):
    moment, view = moment_of(opened()[1], lambda at: wave(at, 0.5)), views()[0]
    true = arrows(field_of(moment), view, DrawingStyle(arrows=200)).segments
    longer = arrows(field_of(moment), view, DrawingStyle(arrows=200, scale=scale)).segments
    known = {tuple(start): vector for start, vector in true}
    assert 100 < len(longer) <= len(true)
    for start, vector in longer:
        assert np.allclose(vector, scale * known[tuple(start)])
