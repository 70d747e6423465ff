"""Training curves: their points on disk, figures of validation pairs, and the report of both."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("monai")
from src_core.tasks.registration.curve_report import quarters, write_curves
from src_core.tasks.registration.curves import CurvePoint, TrainingCurve, read_curves
from src_core.tasks.registration.measures import figures_of
from src_core.tasks.registration.validation import ValidationPairs
from tests.support.files import rows_of
from tests.support.registrations import WINDOW, Constant, box, windowed_case

CPU = torch.device("cpu")


def points(method: str, seed: int, steps: list[int], dice: list[float]) -> list[CurvePoint]:
    return [
        CurvePoint(method, seed, s, None if s == steps[0] else 0.5, d, 2 * d)
        for s, d in zip(steps, dice, strict=True)
    ]


def test_validation_figures_are_those_of_the_test_on_the_same_pairs():
    none = np.zeros((1, 32, 32), np.float32)
    one = [box((10, 12), (8, 6)), box((4, 20), (5, 7))]
    two = [box((13, 11), (8, 6)), none]
    slices = [np.concatenate([a, b]) for a, b in ((one[0], one[1]), (none, none))]
    others = [np.concatenate([a, b]) for a, b in ((two[0], two[1]), (one[0], none))]
    first, second = windowed_case("a", slices, WINDOW), windowed_case("b", others, WINDOW)
    pairs = [(first, second), (second, first)]
    validation = ValidationPairs(pairs, WINDOW, CPU)
    for network in (Constant(0.0, 0.0), Constant(-3.0, 1.0), Constant(2.5, 0.25)):
        found = validation.figures(network)
        expected = [figures_of(network, pair, (1, 2), WINDOW) for pair in pairs]
        assert found["dsc"] == pytest.approx(np.mean([e["dsc"] for e in expected]), abs=1e-6)
        assert found["central"] == 0
    assert validation.figures(Constant(0.0, 0.0))["dsc"] < 1


def test_points_are_kept_until_a_step_and_those_of_another_run_discarded(tmp_path):
    curve = TrainingCurve(tmp_path, "drdm+real", 2, "d")
    for step in (0, 5, 10, 15):
        curve.add(step, step / 10, {"dsc": step / 20, "central": 1.0} if step else {})
    again = TrainingCurve(tmp_path, "drdm+real", 2, "d")
    assert again.points == curve.points and again.points[0].dsc is None
    again.keep_until(10)
    again.add(12, 0.25, {"dsc": 0.75, "central": 0.0})
    found = read_curves(tmp_path, [("none", 1), ("drdm+real", 2)], "d")
    assert [p.step for p in found] == [0, 5, 10, 12]
    assert found[-1] == CurvePoint("drdm+real", 2, 12, 0.25, 0.75, 0.0)
    assert read_curves(tmp_path, [("drdm+real", 2)], "other") == []


def test_the_table_of_quarters_means_over_repeats_at_the_nearest_points(tmp_path):
    found = points("drdm+real", 1, [100, 120, 140, 160, 180], [0.5, 0.6, 0.7, 0.8, 0.8])
    found += points("drdm+real", 2, [100, 141, 180], [0.4, 0.6, 0.7])
    found += [CurvePoint("mrbs", 1, 0, None), CurvePoint("mrbs", 1, 10, 1.5)]
    lines = quarters(found).splitlines()
    assert len(lines) == 3
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    half, end = 2 * (0.7 + 0.6) / 2, 2 * (0.8 + 0.7) / 2
    assert cells == ["drdm+real", "100 to 180", "45.0", "50.0", "65.0", "70.0", "75.0",
                     f"{half:.2f}", f"{end:.2f}"]  # fmt: skip
    write_curves(tmp_path, found)
    rows = rows_of(tmp_path / "curves.csv")
    assert len(rows) == len(found)
    assert (rows[1]["method"], rows[1]["step"], rows[1]["dsc"]) == ("drdm+real", "120", "0.6")
    assert rows[-2]["loss"] == rows[-2]["dsc"] == "" and float(rows[-1]["loss"]) == 1.5
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert quarters(found[-2:]) == "" and not math.isnan(float(rows[0]["central"]))


def test_no_points_no_files(tmp_path: Path):
    write_curves(tmp_path, [])
    assert not list(tmp_path.iterdir())
