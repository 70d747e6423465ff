"""Contours close and run between labels; colours of lengths."""

from __future__ import annotations

import numpy as np
import pytest

from napari_drdm.overlays import View, contours
from napari_drdm.overlays.colours import limit_mm, magnitude_colormap
from tests.support.overlays import SCALE, blocks, opened, wave

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


def test_contours_close_and_run_between_labels():
    labels = np.zeros((3, 9, 12), np.int32)
    labels[1, 2:5, 3:7] = 70_000
    labels[1, 6:, :2] = 2  # touches two borders
    view = View((1, 2), ((0, 1),))
    drawn = contours([(labels, lambda v: np.repeat(v[:, None] / 1e5, 4, 1))], (5, 1, 2), view)
    assert (drawn.segments[:, 0, 0] == 1).all() and (drawn.segments[:, 1, 0] == 0).all()
    for value, low, high in ((70_000, (1.5, 2.5), (4.5, 6.5)), (2, (5.5, -0.5), (8.5, 1.5))):
        own = drawn.segments[np.isclose(drawn.colours[:, 0], value / 1e5)][:, :, 1:]
        assert np.allclose(own[:, 0].min(0), low) and np.allclose(own[:, 0].max(0), high)
        assert np.allclose(own[:, 1].sum(0), 0)
        starts, ends = own[:, 0], own.sum(1)
        assert sorted(map(tuple, starts.round(6))) == sorted(map(tuple, ends.round(6)))


def test_contours_of_a_volume_lie_on_three_planes():
    view = View((0, 1, 2), (), (5, 13, 12))
    assert [dict(plane.fixed) for plane in view.planes] == [{2: 12}, {1: 13}, {0: 5}]
    drawn = contours([(blocks(), lambda v: np.ones((len(v), 4)))], SCALE, view).segments
    for axis, index in enumerate((5, 13, 12)):
        still = (drawn[:, 0, axis] == index) & (drawn[:, 1, axis] == 0)
        assert still.sum() > 20
    assert not np.isnan(drawn).any()


def test_lengths_are_clear_at_nothing_and_end_at_a_tenth_of_the_side(moment_of):
    moment = moment_of(opened()[1], wave)
    assert limit_mm(moment.layer_case.case.grid) == pytest.approx(0.1 * 34 * 1.5)
    nothing, half, most = magnitude_colormap().map(np.array([0, 0.5, 1.0]))
    assert nothing[3] == 0 and half[3] == pytest.approx(1, abs=0.02) and most[3] == 1
