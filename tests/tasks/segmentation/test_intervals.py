"""The bootstrap over test subjects and training subsets, on tables whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.experiments.records import Record
from src_core.tasks.segmentation.intervals import bootstrap, difference_of, mean_interval


def table(value, subjects: int, subsets: int, seeds: int) -> dict[tuple[str, int, int], float]:
    return {
        (f"s{p}", k, r): value(p, k, r)
        for p in range(subjects)
        for k in range(subsets)
        for r in range(seeds)
    }


def test_what_never_varies_has_no_width():
    found = bootstrap(table(lambda p, k, r: 0.25, 6, 3, 2))
    assert (found.mean, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))
    assert (found.test_subjects, found.subsets, found.trainings) == (6, 3, 6)


def test_two_subsets_that_differ_are_drawn_both_or_one_twice():
    found = bootstrap(table(lambda p, k, r: float(k), 5, 2, 2))
    assert found.mean == 0.5 and (found.low, found.high) == (0, 1)


def test_repeats_are_drawn_within_their_subset():
    found = bootstrap(table(lambda p, k, r: float(r), 4, 1, 2))
    assert (found.low, found.high) == (0, 1)  # both repeats the same in half of all draws


def test_variances_of_subjects_and_subsets_add_up():
    rng = np.random.default_rng(1)
    of_subject, of_subset = rng.normal(size=20), rng.normal(size=10)
    found = bootstrap(table(lambda p, k, r: of_subject[p] + of_subset[k], 20, 10, 1))
    deviation = (of_subject.var() / 20 + of_subset.var() / 10) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * deviation, rel=0.06)


def record(method: str, case: str, subset: int, dsc: float) -> Record:
    keys = {"method": method, "subjects": 5, "subset": subset, "seed": 1, "tested": "test"}
    return Record(case, case[0], keys, {"dsc": dsc})


def test_differences_are_paired_by_case_and_training():
    one = [record("a", c, k, 0.5 + k + (c == "x1")) for c in ("x1", "x2", "y1") for k in (1, 2)]
    other = [record("b", c, k, 0.4 + k + (c == "x1")) for c in ("x1", "x2", "y1") for k in (1, 2)]
    found = difference_of(one, other[:-1], "dsc")
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert mean_interval(one, "dsc").mean == pytest.approx((2.5 + 2.0) / 2)  # x has two cases
    assert math.isnan(difference_of(one, [], "dsc").mean)
