"""Records grouped by keys of any name, and paired by case and seed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.experiments.groups import groups_of, measure_names, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import finite_mean


def record(case: str, method: str, dose: int, seed: int = 1, **figures: float) -> Record:
    return Record(case, case[0], {"method": method, "dose": dose, "seed": seed}, figures)


RECORDS = [
    record("b1", "new", 7, x=1.0),
    record("a1", "old", 3, x=2.0, y=5.0),
    record("a2", "new", 7, x=4.0),
    record("a1", "new", 3, x=math.nan),
]


def test_groups_agree_in_their_keys_and_ascend_by_the_one_that_is_asked():
    first_seen = groups_of(RECORDS, ("method", "dose"))
    assert list(first_seen) == [("new", 7), ("old", 3), ("new", 3)]
    ascending = groups_of(RECORDS, ("method", "dose"), order="dose")
    assert list(ascending) == [("old", 3), ("new", 3), ("new", 7)]
    seven = ascending["new", 7]
    assert (seven["method"], seven["dose"]) == ("new", 7)
    assert [r.case for r in seven.records] == ["b1", "a2"]
    mean = seven.mean("x")
    assert (mean.mean, mean.n) == (2.5, 2) and mean.se == pytest.approx(1.5)
    assert measure_names(ascending.values()) == ["x", "y"]


def test_values_are_nan_where_a_record_lacks_the_figure():
    np.testing.assert_array_equal(values_of(RECORDS, "y"), [math.nan, 5, math.nan, math.nan])
    assert finite_mean(values_of(RECORDS, "x")) == pytest.approx(7 / 3)
    assert math.isnan(finite_mean([math.nan]))


def test_pairs_are_of_one_case_and_seed_or_of_one_case():
    ours = [record("a1", "new", 3, s, x=s) for s in (1, 2)] + [record("c1", "new", 3, 1)]
    theirs = [record("b1", "old", 3, 1), record("a1", "old", 3, 2, x=9.0)]
    assert paired(ours, theirs) == [(ours[1], theirs[1])]
    assert paired(ours, theirs, by_seed=False) == [(ours[0], theirs[1]), (ours[1], theirs[1])]
