"""Rows compared on what both have, the paper's magnitudes, the fewest steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.plan import EvaluationPlan
from src_core.evaluation.plausibility import plausibility
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import removed, rows_of
from src_core.evaluation.steps import compare_steps
from src_core.evaluation.summary import paper_magnitudes
from tests.support.evaluations import group, record

PLAN = EvaluationPlan(levels=(70,), seeds=5, steps=(4, 2, 70), rows=(), elastic_points=11)


def test_removed_energy_counts_what_both_rows_have() -> None:
    random = group("random", 70, 0)
    recovered = group("recovered", 70, 8)
    for seed, (before, after) in enumerate([(8.0, 2.0), (4.0, 1.0)], start=1):
        random.records.append(record("random", 70, 0, seed, energy=before, energy_8=before / 2))
        recovered.records.append(record("recovered", 70, 8, seed, energy=after, energy_8=after))
    random.records.append(record("random", 70, 0, 3, energy=100.0, energy_8=1.0))
    found = removed(recovered, random)
    assert found["removed"].mean == 0.75
    assert found["removed_8"].mean == 0.5
    assert removed(random, random) == {}


def test_rows_are_compared_on_what_both_have_and_nearer_ones_are_reported() -> None:
    real = Reference({"area 1": np.arange(40.0), "flat": np.ones(40)}, tuple("abcdefgh" * 5))
    recovered, elastic = group("recovered", 70, 8), group("elastic", 70, 0)
    for seed in range(1, 21):
        near = {"area 1": 2.0 * seed - 2, "agreement": 0.8, "flat": 1.0}
        recovered.records.append(record("recovered", 70, 8, seed, **near))
        far = {"area 1": 2.0 * seed + 18, "agreement": 0.6 + 0.01 * (seed % 2), "flat": 1.0}
        elastic.records.append(record("elastic", 70, 0, seed, **far))
    elastic.records.append(record("elastic", 70, 0, 99, agreement=0.0))
    found = plausibility([recovered, elastic], Anatomy((1,)), real)
    (reported,) = found["verdicts"]
    assert (reported["against"], reported["nearer"], reported["shapes"]) == ("elastic", 1, 1)
    assert reported["agreement"] == pytest.approx(0.195)
    assert 0.19 < reported["agreement_low"] < 0.195 < reported["agreement_high"] < 0.2
    shift = 20 / np.arange(40.0).std()
    pair = next(p for p in found["paired"] if p["measure"] == "area 1")
    row = next(r for r in found["rows"] if r["row"] == "recovered")
    assert row["distances"]["area 1"] < 0.1
    assert pair["difference"] == pytest.approx(-shift, abs=0.1) and pair["better"]


def test_the_paper_s_magnitudes_are_met_between_levels() -> None:
    groups = []
    for level, mean, strict, scale in ((30, 2.0, 0.0, 1.0), (70, 4.0, 0.4, 0.9)):
        figures = {"mean": mean, "max": 3 * mean, "central": 0.0, "strict": strict}
        one = record("recovered", level, 8, 1, **figures, guard_scale=scale)
        groups += rows_of([one]).values()
    by_mean = {r["paper_level"]: r for r in paper_magnitudes(groups) if r["by"] == "mean"}
    assert by_mean[45]["strict"] == pytest.approx(0.2)
    assert by_mean[45]["guard_scale"] == pytest.approx(0.95)
    assert math.isnan(by_mean[70]["strict"])


def test_the_fewest_steps_lose_no_more_than_their_error() -> None:
    records = []
    for steps, lost in ((2, 0.3), (4, 0.005), (70, 0.0)):
        for seed in range(1, 6):
            value = 0.8 + 0.02 * seed - lost
            records.append(record("recovered", 70, steps, seed, agreement=value))
    found = compare_steps(rows_of(records), PLAN)
    assert found["against"] == 70 and found["fewest"] == 4
    two = next(line for line in found["losses"] if line["steps"] == 2)
    assert two["loss"] == pytest.approx(0.3) and two["loss_se"] == pytest.approx(0, abs=1e-12)
