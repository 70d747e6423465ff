"""Levels and seeds of an augmentation: fixed by what they are drawn for, uniform, in range."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_core.augment import parse_distribution, parse_levels
from src_core.augment.levels import draw
from src_core.errors import InputError


def test_the_draw_is_known_for_good() -> None:
    assert draw(1, "patient001_frame01", 1, (30, 70)) == (69, 1903236929)
    assert draw(1, "patient001_frame01", 2, (30, 70)) == (30, 776312504)


@given(st.integers(0, 2**63 - 1), st.text(max_size=20), st.integers(1, 999), st.integers(0, 80))
def test_a_draw_stays_in_range(seed: int, case: str, index: int, low: int) -> None:
    level, drawn = draw(seed, case, index, (low, 80))
    assert low <= level <= 80 and 0 <= drawn < 2**31


def test_levels_are_uniform_and_draws_differ() -> None:
    drawn = [draw(s, c, i, (30, 70)) for s in (1, 2) for c in "abcdefghij" for i in range(1, 201)]
    counts = Counter(level for level, _ in drawn)
    assert set(counts) == set(range(30, 71))
    expected = len(drawn) / 41
    assert (
        sum((n - expected) ** 2 / expected for n in counts.values()) < 74.7
    )  # chi2, 40, p = .0007
    assert len({seed for _, seed in drawn}) == len(drawn)


def test_one_level_and_a_range() -> None:
    assert (parse_levels("48"), parse_levels("30:70")) == ((48, 48), (30, 70))


def test_levels_by_weight() -> None:
    assert parse_distribution("30:70") == (30, 70)
    assert parse_distribution("30, 45=2, 60") == {30: 1, 45: 2, 60: 1}
    normal = parse_distribution("50~4")
    assert min(normal) == 38 and max(normal) == 62 and max(normal, key=normal.get) == 50
    assert normal[54] / normal[50] == pytest.approx(np.exp(-0.5))
    counts = Counter(draw(1, "a", i, {30: 1, 45: 2, 60: 1, 70: 0})[0] for i in range(4000))
    assert counts[70] == 0 and counts[45] == pytest.approx(2000, abs=110)
    assert counts[30] == pytest.approx(1000, abs=95)
    for wrong in ("", "30=", "1:2,3", "~4", "30,45=-1", "a,b", "0=0,1=0"):
        with pytest.raises(InputError, match="levels"):
            parse_distribution(wrong)
