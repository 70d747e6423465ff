"""Spreads of shape measures: ellipses, discs and directions of known size and angle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.evaluation.anatomy import Anatomy, shape_figures
from src_core.evaluation.pose import direction_pairs, elongation, pose_figures
from src_core.evaluation.spread import angles_about, mean_direction, spread_measures

HEART = Anatomy((1, 2, 3), ((2, 3),))


def ellipse(semi_axes, centre, shape=(90, 130)):
    offsets = np.indices(shape) - np.reshape(centre, (-1, *[1] * len(shape)))
    scaled = offsets / np.reshape(semi_axes, (-1, *[1] * len(shape)))
    return np.square(scaled).sum(axis=0) <= 1


def measure(anatomy, ndim, name):
    return next(m for m in spread_measures(anatomy, ndim) if m.name == name)


def turned(degrees):
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


@pytest.mark.parametrize(
    ("semi_axes", "shape", "ratio"),
    [((20, 32), (90, 130), 1.6), ((35, 14), (90, 130), 2.5), ((12, 15, 24), (30, 40, 60), 2.0)],
)
def test_the_elongation_of_an_ellipse_is_that_of_its_axes(semi_axes, shape, ratio):
    mask = ellipse(semi_axes, np.divide(shape, 2), shape)
    assert elongation(mask) == pytest.approx(ratio, rel=0.02)


def test_a_speck_and_a_line_have_no_elongation():
    line = np.zeros((20, 20), bool)
    assert math.isnan(elongation(line))
    line[4, :] = True
    assert math.isnan(elongation(line))


def test_positions_are_in_millimetres_and_directions_are_unit_vectors():
    labels = np.zeros((90, 130), np.uint8)
    labels[ellipse((9, 9), (60, 30))] = 1
    labels[ellipse((14, 14), (30, 70))] = 2
    labels[ellipse((8, 8), (30, 70))] = 3
    found = pose_figures(labels, HEART, 1.5)
    assert (found["position 1 x"], found["position 1 y"]) == pytest.approx((90, 45))
    assert (found["direction 1-3 x"], found["direction 1-3 y"]) == pytest.approx((-0.6, 0.8))
    # a wall and what it encloses share a centre, and so have no direction
    assert direction_pairs(HEART) == [(1, 2), (1, 3)]
    assert "direction 2-3 x" not in found
    assert found["elongation 2+3"] == pytest.approx(1, abs=0.02)


def test_a_lost_label_has_neither_place_nor_direction():
    labels = np.zeros((40, 40), np.uint8)
    labels[5:15, 5:15] = 1
    found = pose_figures(labels, Anatomy((1, 2)), 1.0)
    assert math.isnan(found["position 2 x"]) and math.isnan(found["direction 1-2 y"])
    assert found["position 1 x"] == pytest.approx(9.5)


def test_sizes_of_discs_spread_twice_as_much_as_their_radii():
    radii = np.array([20.0, 23, 26, 30])
    figures = [
        shape_figures(ellipse((r, r), (45, 60)).astype(int), Anatomy((1,)), 2.0) for r in radii
    ]
    found = measure(Anatomy((1,)), 2, "area 1")
    sd = found.sd(found.values(figures))
    assert sd == pytest.approx(2 * np.log(radii).std(ddof=1), rel=0.01)
    # the same in other units: a logarithm's spread has none
    smaller = [{"area 1": f["area 1"] / 4} for f in figures]
    assert found.sd(found.values(smaller)) == pytest.approx(sd)


def test_a_volume_has_measures_of_three_axes():
    names = [m.name for m in spread_measures(Anatomy((1, 2)), 3)]
    assert names == [
        *("volume 1", "volume 2", "log ratio 2/1", "elongation 1", "elongation 2"),
        *(f"position {v} {axis}" for v in (1, 2) for axis in "xyz"),
        "angle 1-2",
    ]


@pytest.mark.parametrize("about", [0.0, 90.0, 178.0, -135.0])
def test_angles_spread_alike_whichever_way_they_point(about):
    offsets = np.array([-6.0, -1.0, 3.0, 4.0])
    angle = measure(Anatomy((1, 2)), 2, "angle 1-2")
    figures = [
        {"direction 1-2 x": x, "direction 1-2 y": y} for x, y in turned(about + offsets).tolist()
    ]
    assert angle.sd(angle.values(figures)) == pytest.approx(offsets.std(ddof=1), rel=1e-3)


def test_an_angle_in_space_is_that_to_the_mean_direction():
    # four directions on a cone of 20 degrees about the third axis
    a = np.radians(20)
    cone = np.array(
        [[np.sin(a) * x, np.sin(a) * y, np.cos(a)] for x, y in turned([0, 90, 180, 270])]
    )
    assert mean_direction(cone) == pytest.approx([0, 0, 1], abs=1e-12)
    coordinates = angles_about(cone, mean_direction(cone))
    assert coordinates.shape == (4, 2)
    assert np.linalg.norm(coordinates, axis=1) == pytest.approx(20)
    angle = measure(Anatomy((1, 2)), 3, "angle 1-2")
    assert angle.sd(cone) == pytest.approx(20 * math.sqrt(4 / 3))


def test_opposite_directions_are_half_a_turn_apart():
    found = angles_about(np.array([[0.0, 1.0], [0.0, -1.0]]), np.array([0.0, 1.0]))
    assert np.abs(found[:, 0]) == pytest.approx([0, 180])
    assert np.isnan(mean_direction(np.array([[1.0, 0.0], [-1.0, 0.0]]))).all()


def test_values_that_are_absent_do_not_count():
    size = measure(Anatomy((1,)), 2, "area 1")
    values = size.values([{"area 1": 2.0}, {"area 1": math.nan}, {}, {"area 1": 8.0}])
    assert size.sd(values) == pytest.approx(math.log(4) / math.sqrt(2))
    assert size.mean(values) == pytest.approx([math.log(4)])
    assert math.isnan(size.sd(values[:2])) and np.isnan(size.mean(values[1:3])).all()
