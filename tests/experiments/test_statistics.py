"""Bootstraps over crossed factors, by closed form."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.experiments.statistics import crossed_weights, interval, resampled_means
from src_core.experiments.statistics import resampled_weights as of_subjects

SUBJECTS = [s for s in "acbd" for _ in range(3)]
REPEATS = [1, 2, 3] * 4


def test_one_factor_or_a_factor_of_one_level_is_the_bootstrap_over_subjects():
    expected = of_subjects(SUBJECTS, 50, 7)
    np.testing.assert_array_equal(crossed_weights(SUBJECTS, resamples=50, seed=7), expected)
    alone = crossed_weights(SUBJECTS, [1] * 12, resamples=50, seed=7)
    np.testing.assert_array_equal(alone, expected)


def test_weights_are_products_of_how_often_each_level_was_drawn():
    weights = crossed_weights(SUBJECTS, REPEATS, resamples=200).reshape(200, 4, 3)
    subjects, repeats = weights.sum(2) / 3, weights.sum(1) / 4
    np.testing.assert_allclose(weights, subjects[:, :, None] * repeats[:, None], atol=1e-12)
    assert (subjects.sum(1) == 4).all() and (repeats.sum(1) == 3).all()
    correlation = np.corrcoef(subjects[:, 0], repeats[:, 0])[0, 1]
    assert abs(correlation) < 0.2


def test_the_variance_of_a_mean_holds_that_of_subjects_and_of_repeats():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=40), 2 * rng.normal(size=8)
    values = (a[:, None] + b).ravel()
    names = np.repeat(np.arange(40), 8).tolist(), np.tile(np.arange(8), 40).tolist()
    means = resampled_means(values, crossed_weights(*names, resamples=4000))
    expected = a.var() / 40 + b.var() / 8
    assert means.var() == pytest.approx(expected, rel=0.1)
    low, high = interval(means)
    only_subjects = interval(resampled_means(values, crossed_weights(names[0], resamples=4000)))
    assert high - low > 2 * (only_subjects[1] - only_subjects[0])
