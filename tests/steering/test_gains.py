"""Gains: what arrives of a change is learned from the last one."""

from __future__ import annotations

import torch

from src_core.steering.gains import Gains
from src_core.steering.prior import Constraints


def wants(*numbers: float) -> Constraints:
    found = torch.tensor(numbers, dtype=torch.float64)
    return Constraints(torch.zeros(len(numbers), 2, 4, 4), found, torch.ones_like(found))


def test_the_first_change_is_divided_by_the_guess():
    gains = Gains(0.5, (0.1, 2))
    assert gains.corrected([wants(0.3), wants(-1, 2)]).wanted.tolist() == [0.6, -2, 4]


def test_a_linear_response_is_met_in_two_rounds():
    for response in (0.4, 1.7):
        gains, made, goal = Gains(1.0, (0.1, 4)), 0.0, 0.8
        for _ in range(3):
            made += float(gains.corrected([wants(goal - response * made)]).wanted)
        assert abs(goal - response * made) < 1e-12


def test_each_target_has_its_own_and_bounds_hold():
    gains = Gains(1.0, (0.25, 1.5))
    gains.corrected([wants(1.0), wants(1.0), wants(1.0)])
    # nothing arrived, half, and twice as much
    again = gains.corrected([wants(1.0), wants(0.5), wants(-1.0)])
    assert again.wanted.tolist() == [4.0, 1.0, -1 / 1.5]


def test_a_target_that_is_met_keeps_its_gain():
    gains = Gains(0.5, (0.25, 1.5))
    gains.corrected([wants(0.0)])
    assert gains.corrected([wants(0.2)]).wanted.tolist() == [0.4]
