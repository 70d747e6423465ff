"""Levels and times: the paper's numbers, and what any run over levels must obey."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_core.diffusion.schedule import Schedule
from src_core.errors import ArgumentError

levels = st.integers(1, 80)


@pytest.mark.parametrize(
    ("level", "count"), [(0, 0), (1, 1), (30, 55), (48, 102), (55, 122), (70, 166)]
)
def test_compositions_of_the_random_field(level: int, count: int) -> None:
    assert Schedule().n_ddf(level) == count


def test_compositions_stop_at_200() -> None:
    assert Schedule(levels=200).n_ddf(150) == 200
    assert 2 * 150**1.3 / 3 > 400


@pytest.mark.parametrize(
    ("level", "count"), [(1, 1), (10, 3), (30, 7), (48, 10), (70, 12), (80, 13)]
)
def test_compositions_of_the_target(level: int, count: int) -> None:
    assert Schedule().n_dvf(level) == count


def test_tau_is_the_real_number() -> None:
    schedule = Schedule()
    assert schedule.tau(0) == 0
    assert schedule.tau(1) == pytest.approx(2 / 3)
    assert schedule.tau(70) == pytest.approx(166.93, abs=0.01)


@given(levels)
def test_times_grow_with_the_level(level: int) -> None:
    schedule = Schedule()
    assert schedule.tau(level) > schedule.tau(level - 1)
    assert schedule.n_ddf(level) >= schedule.n_ddf(level - 1)
    assert schedule.n_ddf(level) in (int(schedule.tau(level)), 1)
    assert schedule.tau(level + 1) - schedule.tau(level) > schedule.tau(level) - schedule.tau(
        level - 1
    )


@given(levels, st.integers(1, 120))
def test_jumps_lead_from_the_level_to_zero(level: int, steps: int) -> None:
    jumps = Schedule().step_levels(level, steps)
    assert (jumps[0], jumps[-1]) == (level, 0)
    assert len(jumps) == min(steps, level) + 1
    sizes = [here - there for here, there in pairwise(jumps)]
    assert min(sizes) >= 1, "strictly decreasing"
    assert max(sizes) - min(sizes) <= 2, "evenly spread"


def test_no_steps_are_refused() -> None:
    with pytest.raises(ArgumentError, match="steps must be 1 or more"):
        Schedule().step_levels(10, 0)


def test_a_schedule_is_frozen_and_strict() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Schedule().levels = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="extra"):
        Schedule(sigmas=1.0)  # type: ignore[call-arg]
