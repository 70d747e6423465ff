"""Principal modes of fields with known ones."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.errors import ArgumentError
from src_core.evaluation.modes import mode_figures


def test_the_modes_of_two_orthogonal_patterns():
    # patterns over a 6 x 10 grid, each of root mean square length 1
    x = np.zeros((2, 6, 10))
    x[0] = 1.0
    y = np.zeros((2, 6, 10))
    y[1] = np.where(np.arange(10) % 2, 1.0, -1.0)
    along, across = np.array([3.0, -3, 3, -3]), np.array([1.0, 1, -1, -1])
    fields = along[:, None, None, None] * x + across[:, None, None, None] * y + 7
    found = mode_figures(fields)
    assert found["mode_1"] == pytest.approx(100 / 10 * along.std(ddof=1))
    assert found["mode_2"] == pytest.approx(100 / 10 * across.std(ddof=1))
    assert found["mode_3"] == pytest.approx(0, abs=1e-6)
    # variances 9 : 1
    assert found["modes"] == pytest.approx(10**2 / (81 + 1))


def test_two_fields_have_one_mode_and_equal_ones_none():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(3, 4, 5, 6))
    found = mode_figures([one, one + 2])
    assert set(found) == {"mode_1", "modes"}
    assert found["modes"] == pytest.approx(1)
    # all three components differ by 2: root mean square sqrt(3) * 2 / sqrt(2) with n - 1
    assert found["mode_1"] == pytest.approx(100 / 6 * 2 * np.sqrt(3) / np.sqrt(2))
    assert mode_figures([one, one]) == {"mode_1": 0.0, "modes": 0.0}


def test_one_field_has_no_modes():
    with pytest.raises(ArgumentError, match="mode_figures"):
        mode_figures(np.zeros((1, 2, 4, 4)))
