"""The deformed grid was straight in the source."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from napari_drdm.overlays import DrawingStyle, grid_lines
from tests.support.overlays import SCALE, SHAPE, field_of, opened, views, wave

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


@pytest.mark.parametrize("view", views(), ids=str)
def test_the_grid_was_straight_in_the_source(moment_of, view):
    moment = moment_of(opened()[1], wave)
    drawn = grid_lines(field_of(moment), view, DrawingStyle(lines=10)).segments
    assert 200 < len(drawn) < 9000
    u = np.moveaxis(moment.layer_case.case.grid.to_voxels(moment.displacement), -1, 0)
    points = np.concatenate([drawn[:, 0], drawn.sum(axis=1)])
    assert (points >= 0).all() and (points <= np.asarray(SHAPE) - 1).all()
    moved = np.stack([map_coordinates(c, points[:, ::-1].T, order=1) for c in u], -1)
    came_from = points + moved[:, ::-1]
    step = max(SHAPE[a] * SCALE[a] for a in view.shown) / 10
    away = []
    for axis in view.shown:
        count = max(1, round(SHAPE[axis] * SCALE[axis] / step))
        levels = (np.arange(count) + 0.5) * SHAPE[axis] / count - 0.5
        away.append(np.abs(came_from[:, axis, None] - levels).min(axis=1))
    assert np.min(away, axis=0).max() < 0.12  # it may be sampled more coarsely than the voxels


def test_the_grid_of_a_still_field_is_square_in_mm(moment_of):
    moment = moment_of(opened()[1], np.zeros_like)
    drawn = grid_lines(field_of(moment), views()[1], DrawingStyle(lines=26)).segments  # Z and X
    upright = drawn[np.abs(drawn[:, 1, 0]) > 0]
    assert (drawn[:, 0, 1] == SHAPE[1] // 3).all() and (drawn[:, 1, 1] == 0).all()
    columns, rows = np.unique(upright[:, 0, 2]), np.unique(drawn[drawn[:, 1, 2] != 0][:, 0, 0])
    assert np.allclose(np.diff(rows) * SCALE[0], 4.0)
    assert np.allclose(np.diff(columns) * SCALE[2], 4.0, atol=0.2)
