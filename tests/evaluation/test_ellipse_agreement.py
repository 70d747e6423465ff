"""Agreement of a region with the ellipse of the same moments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_core.cases.label_shapes import ellipse_agreement

SHAPE = (160, 224)


def ellipse(shape, centre, matrix):
    """Voxels whose offset x from the centre has |matrix x| <= 1."""
    offsets = np.indices(shape).reshape(len(shape), -1) - np.array(centre)[:, None]
    return (np.square(matrix @ offsets).sum(0) <= 1).reshape(shape)


@given(
    st.floats(20, 50),
    st.floats(20, 50),
    st.floats(0, math.pi),
    st.floats(-0.4, 0.4),
    st.floats(-20, 20),
)
def test_any_ellipse_agrees_with_itself(first, second, angle, shear, shift):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = np.diag([1 / first, 1 / second]) @ turn @ np.array([[1, shear], [0, 1]])
    assert ellipse_agreement(ellipse(SHAPE, (80 + shift / 4, 112 + shift), matrix)) > 0.985


def test_an_ellipsoid_agrees_with_itself():
    assert (
        ellipse_agreement(ellipse((40, 50, 44), (19, 25, 22), np.diag([1 / 15, 1 / 20, 1 / 12])))
        > 0.98
    )


def test_a_rectangle_agrees_as_geometry_says():
    # the circle of a unit square's moments has r^2 = 1/3; four caps of it lie outside
    cap = math.acos(math.sqrt(3) / 2) / 3 - 0.5 * math.sqrt(1 / 12)
    expected = 2 * (math.pi / 3 - 4 * cap) / (math.pi / 3 + 1)
    mask = np.zeros(SHAPE, int)
    mask[20:140, 30:200] = 3
    assert ellipse_agreement(mask) == pytest.approx(expected, abs=2e-3)


def test_a_wobbling_wall_agrees_less():
    y, x = np.indices(SHAPE) - np.array([80, 112])[:, None, None]
    angle, radius = np.arctan2(y, x), np.hypot(y, x)
    values = [ellipse_agreement(radius < 40 + a * np.cos(6 * angle)) for a in (0, 3, 6)]
    assert values[0] > 0.98 > values[1] > values[2] + 0.02


def test_a_region_without_area_has_no_ellipse():
    line = np.zeros(SHAPE)
    assert math.isnan(ellipse_agreement(line))
    line[10, 5:50] = 1
    assert math.isnan(ellipse_agreement(line))
