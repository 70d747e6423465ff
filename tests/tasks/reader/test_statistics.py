"""Intervals against SciPy's, their coverage, and areas counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, mannwhitneyu

from src_core.tasks.reader.power import detectable, mean_width, power_table
from src_core.tasks.reader.statistics import area_under_curve, chance_p, proportion_interval

COUNTS = [(0, 7), (7, 7), (1, 1), (3, 11), (20, 40), (37, 40), (399, 400)]


@pytest.mark.parametrize(("count", "total"), COUNTS)
@pytest.mark.parametrize("kind", ["exact", "wilson"])
def test_intervals_are_those_of_scipy(count, total, kind):
    oracle = binomtest(count, total).proportion_ci(0.95, kind)
    assert proportion_interval(count, total, kind) == pytest.approx(tuple(oracle), abs=1e-9)


def test_nothing_has_no_interval_and_no_p():
    assert np.isnan(proportion_interval(0, 0)).all() and np.isnan(chance_p(0, 0))


def test_the_exact_interval_of_ten_of_ten_is_the_closed_form():
    low, high = proportion_interval(10, 10)
    assert low == pytest.approx(0.025 ** (1 / 10)) and high == 1


def test_readers_who_guess_are_told_from_chance_in_at_most_one_of_twenty():
    guessed = np.random.default_rng(0).binomial(40, 0.5, 2000)
    every = range(41)
    ends = np.array([proportion_interval(n, 40) for n in every])[guessed]
    within = ((ends[:, 0] <= 0.5) & (ends[:, 1] >= 0.5)).mean()
    assert 0.95 <= within <= 0.98  # exact intervals hold a little more than they promise
    surprised = (np.array([chance_p(n, 40) for n in every]) <= 0.05)[guessed].mean()
    assert surprised == pytest.approx(1 - within)
    wilson = np.array([proportion_interval(n, 40, "wilson") for n in every])[guessed]
    assert ((wilson[:, 0] <= 0.5) & (wilson[:, 1] >= 0.5)).mean() == pytest.approx(0.95, abs=0.02)


def test_the_area_is_the_rank_sum_statistic():
    source = np.random.default_rng(1)
    real, other = (source.integers(1, 6, n).astype(float) for n in (23, 17))
    ones = np.ones((1, 23)), np.ones((1, 17))
    oracle = mannwhitneyu(real, other).statistic / (23 * 17)
    assert area_under_curve(real, other, ones) == pytest.approx([oracle])
    twice = np.repeat(real, 2), np.ones((1, 46))
    weighted = area_under_curve(real, other, (2 * ones[0], ones[1]))
    assert weighted == pytest.approx(area_under_curve(twice[0], other, (twice[1], ones[1])))


def test_the_area_of_nothing_does_not_exist():
    assert np.isnan(area_under_curve(np.ones(2), np.ones(2), (np.zeros((1, 2)), np.ones((1, 2)))))


def test_more_questions_narrow_the_interval_and_tell_less_from_guessing():
    widths = [mean_width(n) for n in (10, 40, 90)]
    assert widths[0] > 1.8 * widths[1] > 2.5 * widths[2]
    assert np.isnan(detectable(3)) and 0.9 > detectable(20) > detectable(100) > 0.6
    powers = np.random.default_rng(2).binomial(50, detectable(50), 4000)
    told = np.array([chance_p(n, 50) for n in range(51)])[powers] <= 0.05
    assert told.mean() == pytest.approx(0.8, abs=0.02)
    assert len(power_table((10, 20)).splitlines()) == 4
