"""Precision and recall by nearest neighbours, on sets whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.evaluation.neighbours import precision_recall


def line(*places):
    return np.array(places, dtype=float)[:, None]


def test_a_line_of_real_samples_and_few_generated_ones():
    # balls of the real ones reach their second neighbour: 0..4 with radii 2, 1, 1, 1, 2
    real, people = line(0, 1, 2, 3, 4), list("abcde")
    made, sources = line(-1.9, 2.1, 2.2, 6.5), list("vwxy")
    precision, recall = precision_recall(real, made, people, sources, k=2)
    # -1.9, 2.1 and 2.2 lie in a ball, 6.5 does not
    assert precision == 0.75
    # balls of the generated ones: radii 4.1, 4.0, 4.1, 4.4; together they cover all but none
    assert recall == 1.0


def test_generated_samples_that_hardly_differ_recall_little():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 2))
    people = [str(i) for i in range(200)]
    timid = rng.normal(size=(100, 2)) * 0.05
    sources = [f"source {i}" for i in range(100)]
    precision, recall = precision_recall(real, timid, people, sources)
    assert precision > 0.95 and recall < 0.05
    wild = rng.normal(size=(100, 2)) * 20
    precision, recall = precision_recall(real, wild, people, sources)
    assert precision < 0.1 and recall > 0.9


def test_no_subject_is_compared_with_itself():
    real, people = line(0, 10, 20, 30), list("abcd")
    made = line(0, 0.1, 0.2, 0.3)
    # near a alone, whose ball reaches 10
    assert precision_recall(real, made, people, list("wxyz"), k=1) == (1.0, 0.25)
    assert precision_recall(real, made, people, list("aaaa"), k=1)[1] == 0.0
    # without b, whose ball reaches him too, none is plausible for another person
    assert precision_recall(real[[0, 2, 3]], made, list("acd"), list("aaaa"), k=1)[0] == 0.0


def test_a_ball_reaches_another_subject():
    # two scans of each person, close together: the ball reaches past the second scan
    real, people = line(0, 0.1, 5, 5.1), list("aabb")
    made, sources = line(2.0, 2.1), list("xy")
    assert precision_recall(real, made, people, sources, k=1)[0] == 1.0


def test_a_lost_label_is_outside():
    real, people = line(0, 1, 2.5, 3, 9), list("abcde")
    made = np.array([[1.0], [math.nan], [2.0], [math.nan]])
    precision, recall = precision_recall(real, made, people, list("vwxy"), k=1)
    # the balls of 1 and 2 reach each other: they cover 0 to 3
    assert precision == 0.5 and recall == 0.8


@pytest.mark.parametrize(("real", "made"), [(3, 9), (9, 3)])
def test_too_few_samples_have_neither(real, made):
    values = np.arange(9.0)[:, None]
    people, sources = [str(i) for i in range(real)], [f"s{i}" for i in range(made)]
    found = precision_recall(values[:real], values[:made], people, sources, k=3)
    assert all(math.isnan(v) for v in found)
