"""Kappas against published values and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.tasks.reader.agreement import (
    agreement_weights,
    cohen_kappa,
    fleiss_kappa,
    joint_counts,
)

#: Husbands' and wives' answers on a scale of four (Agresti 1990), with kappas as in R's vcd.
COUPLES = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]], dtype=float)
#: Fourteen raters, ten subjects, five categories: kappa .210.
FOURTEEN = np.array(
    [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
     [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]],
    dtype=float,
)  # fmt: skip


@pytest.mark.parametrize(
    ("table", "kappa"),
    [([[20, 5], [10, 15]], 0.4), ([[45, 15], [25, 15]], 0.1304), ([[25, 35], [5, 35]], 0.2593)],
)
def test_two_readers_and_two_answers(table, kappa):
    weights = agreement_weights(2, "equal")
    assert cohen_kappa(np.array(table, float), weights) == pytest.approx(kappa, abs=5e-5)


@pytest.mark.parametrize(("kind", "kappa"), [("equal", 0.1293), ("linear", 0.2374)])
def test_published_weighted_kappas(kind, kappa):
    assert cohen_kappa(COUPLES, agreement_weights(4, kind)) == pytest.approx(kappa, abs=5e-5)


def test_quadratic_weights_are_a_concordance_of_scores():
    """Fleiss and Cohen 1973: 2 cov / (var + var + difference of means squared)."""
    first, second = (np.repeat(np.indices((4, 4)).reshape(2, -1)[i], COUPLES.ravel().astype(int))
                     for i in (0, 1))  # fmt: skip
    cov = np.cov(first, second, bias=True)
    oracle = 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (first.mean() - second.mean()) ** 2)
    assert cohen_kappa(COUPLES, agreement_weights(4, "quadratic")) == pytest.approx(oracle)


def test_several_readers():
    assert fleiss_kappa(FOURTEEN, np.ones((1, 10))) == pytest.approx([0.2099], abs=5e-5)


def test_weights_count_items_as_often_as_if_they_came_again():
    weights = np.array([[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [2, 0, 1, 3, 1, 0, 1, 1, 0, 1.0]])
    again = np.repeat(FOURTEEN, weights[1].astype(int), axis=0)
    assert fleiss_kappa(FOURTEEN, weights)[1] == pytest.approx(
        fleiss_kappa(again, np.ones((1, 10)))
    )


def test_joint_counts_are_weighted():
    first, second = np.array([0, 0, 2, 1]), np.array([0, 1, 2, 1])
    counts = joint_counts(first, second, 3, np.array([[1, 1, 1, 1], [0, 3, 1, 0.0]]))
    assert counts[0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert counts[1].tolist() == [[0, 3, 0], [0, 0, 0], [0, 0, 1]]


def test_readers_who_agree_and_those_who_never_vary():
    weights = agreement_weights(2, "equal")
    assert cohen_kappa(np.diag([3.0, 4.0]), weights) == 1
    assert cohen_kappa(np.array([[0, 4.0], [3, 0]]), weights) < -0.9
    assert np.isnan(cohen_kappa(np.diag([7.0, 0]), weights))
    assert np.isnan(fleiss_kappa(np.array([[3.0, 0], [3, 0]]), np.ones((1, 2))))


def test_readers_who_guess_have_a_kappa_of_nought():
    first, second = np.random.default_rng(3).integers(0, 5, (2, 4000))
    counts = joint_counts(first, second, 5, np.ones((1, 4000)))
    for kind in ("equal", "linear", "quadratic"):
        assert abs(cohen_kappa(counts, agreement_weights(5, kind))[0]) < 0.04
