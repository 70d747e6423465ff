"""Choices of training subjects: even, without repetition, and stable."""

from __future__ import annotations

from collections import Counter

import pytest

from src_core.errors import InputError
from src_core.tasks.segmentation.subsets import subset

NAMES = [f"p{n:02d}" for n in range(12)]


@pytest.mark.parametrize("count", [1, 3, 5, 12])
def test_no_subject_comes_again_before_all_have_come(count):
    chosen = [subset(NAMES, count, number, 1) for number in range(1, 13)]
    assert all(len(set(one)) == count for one in chosen)
    assert set(Counter(name for one in chosen for name in one).values()) == {count}
    few = Counter(name for one in chosen[:5] for name in one)
    assert max(few.values()) - min(few[name] for name in NAMES) <= 1


def test_a_choice_follows_from_seed_count_and_number():
    assert subset(NAMES, 5, 2, 1) == subset([*reversed(NAMES), "p00"], 5, 2, 1)
    assert subset(NAMES, 5, 2, 1) != subset(NAMES, 5, 3, 1)
    assert subset(NAMES, 5, 2, 1) != subset(NAMES, 5, 2, 2)
    with pytest.raises(InputError, match="13 subjects"):
        subset(NAMES, 13, 1, 1)
