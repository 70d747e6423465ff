"""Displacement in percent, removed energy, and what fields of several seeds share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_core.errors import ArgumentError
from src_core.evaluation.measures import (
    displacement_percent,
    diversity,
    removed_energy,
    shared_share,
)


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
