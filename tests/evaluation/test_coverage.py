"""Spread over seeds, between sources and between real subjects, of records made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.coverage import coverage
from src_core.evaluation.manifold import shape_vectors
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import rows_of
from src_core.evaluation.spread import spread_measures
from src_core.evaluation.tables import shown_coverage
from src_core.experiments.records import Record

RING = Anatomy((2, 3), ((2, 3),))


def record(case, row, seed, **figures):
    named = {name.replace("_", " "): value for name, value in figures.items()}
    keys = {"level": 48 if seed else 0, "seed": seed, "row": row, "steps": 8 if seed else 0}
    return Record(case, case.split("-")[0], keys, named)


def reported(records, anatomy=RING, reference=None, ndim=2):
    return coverage(list(rows_of(records).values()), anatomy, ndim, reference)


def line(found, measure, row="recovered"):
    return next(s for s in found["spread"] if (s["row"], s["measure"]) == (row, measure))


def test_seeds_sources_and_subjects_are_kept_apart():
    # logs of areas: sources at 4 and 6, seeds at -0.1, 0, 0.1 and -0.3, 0, 0.3 about them
    records = [
        *(record("a", "recovered", s + 2, area_3=math.exp(4 + 0.1 * s)) for s in (-1, 0, 1)),
        *(record("b", "recovered", s + 2, area_3=math.exp(6 + 0.3 * s)) for s in (-1, 0, 1)),
        *(record(n, "undeformed", 0, area_3=math.exp(v)) for n, v in (("a", 4), ("b", 6))),
    ]
    real = Reference({"area 3": np.exp([7.0, 9.0, 12.0])}, ("c", "c", "d"))
    found = reported(records, reference=real)
    area = line(found, "area 3")
    assert found["subjects"] == 4 and area["sources"] == 2
    assert area["within_source"] == pytest.approx(0.2)
    assert area["between_sources"] == pytest.approx(math.sqrt(2))
    assert area["total"] == pytest.approx(np.std([3.9, 4, 4.1, 5.7, 6, 6.3], ddof=1))
    # one value for each subject: c has two cases, at 7 and 9
    assert area["real"] == pytest.approx(np.std([4, 6, 8, 12], ddof=1))
    assert area["real_cases"] == pytest.approx(np.std([4, 6, 7, 9, 12], ddof=1))
    assert area["ratio"] == pytest.approx(0.2 / area["real"])


def test_measures_of_a_kind_are_averaged_in_the_printed_table():
    records = [
        record("a", "recovered", s, area_2=math.exp(0.1 * s), area_3=math.exp(0.3 * s))
        for s in (1, 2, 3)
    ]
    records += [record(n, "undeformed", 0, area_2=v, area_3=v) for n, v in (("a", 1), ("b", 2))]
    found = reported(records)
    assert found["means"][0]["size"] == pytest.approx(0.2)
    head, _, row, still = shown_coverage({"coverage": found})
    assert "2 real subjects" in head and row.startswith("   48 recovered")
    assert "0.200 (0.41)" in row and still.startswith("undeformed")


def test_unevenness_is_by_that_of_the_same_cases_undeformed():
    records = [record(n, "undeformed", 0, unevenness_2=v) for n, v in (("a", 1.0), ("b", 2.0))]
    records += [record("a", "recovered", s, unevenness_2=1.5) for s in (1, 2)]
    records += [record("b", "recovered", 1, unevenness_2=2.0)]
    (wall,) = reported(records)["walls"]
    assert wall["relative"] == pytest.approx((1.5 + 1.5 + 2) / (1 + 1 + 2))
    assert (wall["measure"], wall["n"]) == ("unevenness 2", 3)


def test_a_row_of_one_seed_has_no_spread():
    records = [record("a", "recovered", 1, area_3=4.0), record("a", "undeformed", 0, area_3=4.0)]
    assert reported(records)["spread"] == []


def test_nothing_is_reported_without_labels():
    assert reported([record("a", "recovered", 1)], Anatomy(())) == {}


def people(rng, count, spread):
    return np.exp(rng.normal(5, spread, (count, 2)))


def test_a_timid_row_is_precise_and_recalls_little_and_a_wide_one_both():
    rng = np.random.default_rng(4)
    values = people(rng, 60, 0.4)
    names = [f"p{i}" for i in range(60)]
    real = Reference({"area 2": values[20:, 0], "area 3": values[20:, 1]}, tuple(names[20:]))
    records = []
    for name, (two, three) in zip(names[:20], values[:20], strict=True):
        records.append(record(name, "undeformed", 0, area_2=two, area_3=three))
        for seed in range(1, 7):
            for row, sd in (("recovered", 0.01), ("random", 0.3), ("elastic", 3.0)):
                a, b = np.exp(rng.normal(0, sd, 2))
                records.append(record(name, row, seed, area_2=two * a, area_3=three * b))
    near = {m["row"]: m for m in reported(records, Anatomy((2, 3)), real)["manifold"]}
    assert near["recovered"]["precision"] > 0.9 > 0.4 > near["recovered"]["recall"]
    assert near["random"]["recall"] > 0.8 and near["random"]["precision"] > 0.7
    assert near["elastic"]["precision"] < 0.4
    assert near["recovered"]["n"] == 120 and near["recovered"]["real"] == 60


def test_sources_that_lack_a_label_do_not_count_and_lost_labels_do():
    values = np.exp(np.linspace(0, 1, 8))
    real = Reference({"area 2": values, "area 3": values}, tuple("cdefghij"))
    records = [
        record("a", "undeformed", 0, area_2=1.5, area_3=1.5),
        record("b", "undeformed", 0, area_2=1.5, area_3=math.nan),
        *(record("a", "recovered", s, area_2=1.5, area_3=1.5) for s in (1, 2, 3)),
        record("a", "recovered", 4, area_2=1.5, area_3=math.nan),
        record("b", "recovered", 1, area_2=1.5, area_3=math.nan),
    ]
    near = reported(records, Anatomy((2, 3)), real)["manifold"]
    recovered = next(m for m in near if m["row"] == "recovered")
    assert recovered["n"] == 4 and recovered["precision"] == 0.75


def test_vectors_are_standardised_and_directions_are_angles_about_the_mean():
    angles = np.radians([170, 180, 190])
    figures = [
        {"area 1": math.exp(i), "direction 1-2 x": x, "direction 1-2 y": y}
        for i, (x, y) in enumerate(zip(np.cos(angles), np.sin(angles), strict=True))
    ]
    used = [m for m in spread_measures(Anatomy((1, 2)), 2) if m.name in ("area 1", "angle 1-2")]
    found = shape_vectors(used, figures, figures)
    assert found.shape == (3, 2)
    assert found[:, 0] == pytest.approx([-1, 0, 1])
    assert np.abs(found[:, 1]) == pytest.approx([1, 0, 1], abs=1e-9)
