"""Tables of a test of targets, against numbers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.experiments.records import Record
from src_core.tasks.steering.report import tables_text
from src_core.tasks.steering.tables import matches, plausibility_rows, reach_rows

CASES, SEEDS = ("a", "b", "c", "d"), (1, 2, 3)


def steered(case: str, words: str, seed: int, **figures: float) -> Record:
    usual = {"asked": 1.3, "got": 1.3, "before": 1.0, "error": 0.0, "within": 1.0, "reached": 1.0,
             "strict": 0.0, "guard_scale": 1.0, "draws_rms": 1.1, "distance": 0.2, "seconds": 2.0,
             "change": 4.0}  # fmt: skip
    keys = {"target": words, "level": 48, "seed": seed}
    return Record(case, f"subject {case}", keys, {**usual, **figures})


def unsteered(case: str, level: int, seed: int, change: float, **figures: float) -> Record:
    keys = {"target": "none", "level": level, "seed": seed}
    return Record(case, f"subject {case}", keys, {"change": change, **figures})


def test_what_was_asked_and_got_is_summed_up() -> None:
    by = np.linspace(-0.05, 0.06, 24)
    keys = [(f, c, s) for f in (0.7, 1.4) for c in CASES for s in SEEDS]
    records = [
        steered(case, f"volume 3 x{factor}", seed, asked=factor, got=factor * (1 + b),
                error=factor * abs(b), within=float(abs(b) <= 0.02), reached=0.0)
        for (factor, case, seed), b in zip(keys, by, strict=True)
    ]  # fmt: skip
    small, large, sizes, everything = reach_rows(records)
    assert small["error"] == pytest.approx(100 * np.median(abs(by[:12])))
    assert large["within"] == pytest.approx((abs(by[12:]) <= 0.02).mean())
    assert np.isnan(small["r"]) and small["runs"] == 12 and sizes["runs"] == 24
    asked = np.repeat(np.log([0.7, 1.4]), 12)
    assert sizes["r"] == pytest.approx(np.corrcoef(asked, asked + np.log1p(by))[0, 1])
    assert everything["target"] == "all" and everything["draws_rms"] == pytest.approx(1.1)
    assert everything["reached"] == 0


def test_lengths_are_in_their_own_unit() -> None:
    asked, got = np.array([9.0, 10, 12, 13]), np.array([9.2, 10, 11.9, 13.4])
    records = [
        steered(case, "thickness 2 +2 mm", 1, asked=a, got=g, before=a - 2, error=abs(a - g))
        for case, a, g in zip(CASES, asked, got, strict=True)
    ]
    row = reach_rows(records)[0]
    assert row["error"] == pytest.approx(0.15) and row["error_unit"] == ""
    assert row["r"] == pytest.approx(np.corrcoef(asked, got)[0, 1])


def test_a_run_is_compared_with_one_of_its_case_that_changes_labels_as_much() -> None:
    sizes = {"area 1": 100.0, "area 3": 50.0}
    records = [steered("a", "hold 1", 1, change=4.0, **sizes)]
    records += [steered("b", "hold 1", 2, change=1.0, **sizes), steered("d", "hold 1", 2, **sizes)]
    records += [unsteered("a", 32, 1, 2.0, **sizes), unsteered("a", 64, 1, 4.4, **sizes)]
    records += [unsteered("a", 48, 2, 4.0, **{"area 1": 100.0, "area 3": 80.0})]
    records += [unsteered("a", 48, 3, 4.0, **{"area 1": 100.0, "area 3": float("nan")})]
    records += [unsteered("b", 48, 2, 9.0, **sizes), unsteered("c", 48, 1, 4.0, **sizes)]
    found = matches(records)
    assert [(o["level"], o["seed"], o.case) for _, o in found] == [(64, 1, "a"), (48, 2, "b")]


def test_differences_of_pairs_have_intervals_over_subjects_and_seeds() -> None:
    rng, records = np.random.default_rng(0), []
    shapes = {"ellipse 3": 0.9, "unevenness 2": 1.0}
    for case in CASES:
        for seed in SEEDS:
            base, by = rng.uniform(0.8, 0.9), rng.normal(-0.02, 0.01)
            own = {"agreement": base + by, "change": 4.0 + 4 * seed, **shapes}
            records.append(steered(case, "place 3 6 mm", seed, **own))
            records.append(unsteered(case, 48, seed, 4.1 + 4 * seed, agreement=base, **shapes))
    pairs = matches(records)
    by_hand = [one.figures["agreement"] - two.figures["agreement"] for one, two in pairs]
    lines = {(row["target"], row["measure"]): row for row in plausibility_rows(pairs)}
    row = lines["place 3 6 mm", "agreement"]
    assert all(one["seed"] == two["seed"] for one, two in pairs)
    assert row["difference"] == pytest.approx(np.mean(by_hand)) and row["n"] == 12
    assert row["low"] < row["difference"] < row["high"] < 0
    assert lines["all", "ellipse"]["difference"] == pytest.approx(0)
    assert lines["all", "unevenness 2"]["high"] == pytest.approx(0)
    ratio = np.mean([np.log((4 + 4 * s) / (4.1 + 4 * s)) for s in SEEDS])
    assert lines["all", "change"]["difference"] == pytest.approx(ratio)


def test_the_tables_show_every_set_and_measure() -> None:
    records = [steered(case, "volume 3 x1.3", 1, agreement=0.9) for case in CASES]
    records += [unsteered(case, 48, 1, 4.0, agreement=0.91) for case in CASES]
    report = {
        "reached": reach_rows(records),
        "plausibility": plausibility_rows(matches(records)),
        "impossible": ["e: volume 3 x1.3"],
    }
    text = tables_text(report)
    lines = text.splitlines()
    assert lines[2].startswith("| volume 3 x1.3 | 4 |  | 0.00 % | 100 % | 100 % | 0.000 | 1.000 |")
    assert "| steered less unsteered | segmenter agreement |" in text
    assert "-0.0100 (-0.0100 to -0.0100)" in text
    assert text.endswith("Not possible: e: volume 3 x1.3.\n")
