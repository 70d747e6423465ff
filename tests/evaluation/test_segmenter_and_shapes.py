from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src_core.diffusion.flow import Flow
from src_core.errors import ArgumentError
from src_core.evaluation.baseline import equal_mean_flow
from src_core.evaluation.measures import (
    displacement_percent,
    diversity,
    removed_energy,
    shared_share,
)
from src_core.evaluation.shapes import ellipse_agreement
from src_core.fields import magnitude
from tests.support.flows import squared

SHAPE = (160, 224)


def ellipse(shape, centre, matrix):
    """Voxels whose offset x from the centre has |matrix x| <= 1."""
    offsets = np.indices(shape).reshape(len(shape), -1) - np.array(centre)[:, None]
    return (np.square(matrix @ offsets).sum(0) <= 1).reshape(shape)


def fields(seed, count=2):
    return np.random.default_rng(seed).normal(size=(count, 2, 9, 13))


def test_displacement_is_given_in_percent_of_the_longest_side():
    u = np.zeros((2, 20, 50))
    u[:, 3, 4] = 3.0, 4.0
    largest, mean = displacement_percent(u)
    assert largest == pytest.approx(100 * 5 / 50)
    assert mean == pytest.approx(100 * 5 / 50 / 1000)


@pytest.mark.parametrize("shape", [(3, 20, 50), (20,), (1, 2, 20, 50)])
def test_displacement_wants_one_field(shape):
    with pytest.raises(ArgumentError, match=r"\(D, \*spatial\)"):
        displacement_percent(np.zeros(shape))


@given(st.floats(0, 2))
def test_removed_energy_of_a_scaled_field(scale):
    random = fields(0)
    assert removed_energy(random, scale * random) == pytest.approx(1 - scale**2)


def test_removed_energy_pools_fields_by_their_energy():
    random = np.stack([np.full((2, 4, 6), 3.0), np.full((2, 4, 6), 1.0)])
    recovered = np.stack([np.zeros((2, 4, 6)), np.full((2, 4, 6), 1.0)])
    assert removed_energy(random, recovered) == pytest.approx(0.9)


def test_removed_energy_of_nothing_is_refused():
    with pytest.raises(ArgumentError, match="zeros"):
        removed_energy(np.zeros((2, 4, 6)), np.zeros((2, 4, 6)))


@given(st.floats(-3, 3))
def test_shared_share_of_scaled_fields(scale):
    a = fields(1)
    assert shared_share([a, scale * a]) == pytest.approx(2 * scale / (1 + scale**2))


def test_shared_share_of_a_common_part():
    u = np.random.default_rng(2).normal(size=(3, 2, 64, 80))
    common, first, second = u
    assert shared_share([common + first, common + second]) == pytest.approx(0.5, abs=0.03)
    assert abs(shared_share([first, second])) < 0.03
    assert shared_share(0 * u) == 0.0


def test_fields_of_two_shapes_are_refused():
    with pytest.raises(ArgumentError, match="removed_energy"):
        removed_energy(np.ones((2, 4, 6)), np.ones((2, 6, 4)))


@pytest.mark.parametrize("measure", [shared_share, diversity])
def test_one_seed_shares_with_none(measure):
    with pytest.raises(ArgumentError, match=measure.__name__):
        measure(np.ones((1, 4, 6)))


@given(st.integers(2, 5), st.floats(-1, 1))
def test_what_is_not_shared_is_diverse(count, common):
    u = np.random.default_rng(count).normal(size=(count, 2, 9, 13)) + common
    assert diversity(u) ** 2 == pytest.approx(1 - shared_share(u))


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


def test_the_level_of_a_mean_is_found_in_velocity():
    # along a constant velocity c the flow moves by s c, whatever the grid
    velocity = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 32, 32)
    found = equal_mean_flow(Flow(velocity, (), 16, squared(6)), mean=1.25)
    assert float(found.random[0, 0, 0, 0]) == pytest.approx(0.75, abs=1e-3)


def test_the_level_of_a_mean_is_no_scaled_displacement():
    rough = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    velocity = torch.nn.functional.interpolate(rough, (32, 32), mode="bicubic") * 3
    flow = Flow(velocity, (), 16, squared(6))
    mean = float(magnitude(flow.displacement()).mean())
    found = equal_mean_flow(flow, mean / 2).displacement()
    assert float(magnitude(found).mean()) == pytest.approx(mean / 2, rel=1e-3)
    assert float((found - flow.displacement() / 2).abs().max()) > 0.05


def test_a_mean_out_of_reach_keeps_the_flow():
    flow = Flow(torch.ones(1, 2, 32, 32), (), 16, squared(6))
    assert equal_mean_flow(flow, mean=5.0) is flow
