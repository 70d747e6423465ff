"""The law of variety: its inversion, its forecast by integration, and its table."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest

from src_core.cli import run
from src_core.errors import InputError
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.coverage import coverage
from src_core.evaluation.law import (
    forecast_spread,
    inferred_spread,
    law_table,
    read_training_spreads,
)
from src_core.evaluation.rows import rows_of
from src_core.evaluation.tables import shown_law
from src_core.experiments.records import Record
from tests.support.evaluations import QUICK
from tests.support.files import rows_of as lines_of


@pytest.mark.parametrize(
    ("sigma", "s", "redundancy"), [*itertools.product((0.2, 1.0, 22.9), (0.05, 0.3, 8), (1.0, 3.3))]
)
def test_the_law_is_inverted(sigma: float, s: float, redundancy: float) -> None:
    after = forecast_spread(sigma, s, redundancy)
    assert 0 < after < min(sigma, s if redundancy == 1 else sigma)
    assert inferred_spread(sigma, after, redundancy) == pytest.approx(s, rel=1e-6)


@pytest.mark.parametrize("redundancy", [1.0, 2.0])
def test_the_forecast_is_where_many_small_steps_end(redundancy: float) -> None:
    # the posterior mean of the noise is w sigma^2 / (s^2 + sigma^2): each step takes its share
    sigma, s, steps = 0.4, 0.17, 20_000
    w = sigma
    for step in range(steps):
        here = sigma * (1 - (step + 0.5) / steps)
        w -= redundancy * w * here / (s**2 + here**2) * sigma / steps
    assert forecast_spread(sigma, s, redundancy) == pytest.approx(w, rel=1e-4)


def test_the_law_gives_no_number_where_there_is_none() -> None:
    assert math.isnan(inferred_spread(0.3, 0.3)) and math.isnan(inferred_spread(0.3, 0.4))
    assert math.isnan(inferred_spread(math.nan, 0.1)) and math.isnan(inferred_spread(0.3, math.nan))
    assert inferred_spread(0.3, 0.0) == 0 and forecast_spread(0.3, 0.0) == 0
    assert math.isnan(forecast_spread(0.0, 0.1)) and math.isnan(forecast_spread(0.3, math.nan))


def made(row: str, case: str, step: float) -> list[Record]:
    """Seeds -1, 0, 1 times a step of log area, whose deviation is that step."""
    found = []
    for seed in (1, 2, 3):
        keys = {"level": 48, "seed": seed, "row": row, "steps": 0 if row == "random" else 8}
        found.append(Record(case, case, keys, {"area 3": 500 * math.exp(step * (seed - 2))}))
    return found


def test_the_table_has_what_both_rows_have() -> None:
    records = [r for case in "ab" for r in made("random", case, 0.4)]
    records += [r for case in "ab" for r in made("recovered", case, 0.16)]
    for case, area in (("a", 400.0), ("b", 800.0)):
        keys = {"level": 0, "seed": 0, "row": "undeformed", "steps": 0}
        records.append(Record(case, case, keys, {"area 3": area, "thickness 2": 3.0}))
    spread = coverage(list(rows_of(records).values()), Anatomy((3,)), 2, None)["spread"]
    (line,) = law_table(spread, 1.0, {"area 3": 0.2})
    assert (line["level"], line["measure"], line["unit"]) == (48, "area 3", "log")
    assert line["sigma_T"] == pytest.approx(0.4) and line["measured"] == pytest.approx(0.16)
    assert line["kept"] == pytest.approx(0.4)
    assert line["s"] == pytest.approx(0.16 / math.sqrt(1 - 0.4**2))
    assert line["forecast"] == pytest.approx(0.4 * 0.2 / math.hypot(0.4, 0.2))
    assert line["offered"] == pytest.approx(0.4 / (math.log(2) / math.sqrt(2)))
    shown = shown_law({"law": [line]})
    assert len(shown) == 2 and "0.175" in shown[1] and "0.179" in shown[1]
    assert shown_law({"law": []}) == []
    (without,) = law_table(spread, 1.0, {})
    assert math.isnan(without["training"]) and math.isnan(without["forecast"])


def test_spreads_of_training_are_read_and_wrong_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "spreads.json"
    path.write_text('{"area 3": 0.18, "thickness 2": 0}')
    names = ("area 3", "thickness 2")
    assert read_training_spreads(path, names) == {"area 3": 0.18, "thickness 2": 0.0}
    for text in (
        '{"area 4": 1}',
        '{"area 3": -1}',
        '{"area 3": NaN}',
        "[1]",
        "{",
        '{"area 3": "x"}',
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"thickness 2"):
            read_training_spreads(path, names)
    with pytest.raises(InputError, match="cannot be read"):
        read_training_spreads(tmp_path / "none.json", names)


def test_an_evaluation_writes_the_law(done: Path) -> None:
    table = lines_of(done / "law.csv")
    assert {r["level"] for r in table} == {"40", "70"}
    measures = {r["measure"] for r in table}
    assert {"area 3", "thickness 2", "elongation 2+3", "angle 1-3"} <= measures
    for line in table:
        sigma, measured = float(line["sigma_T"]), float(line["measured"])
        assert float(line["kept"]) == pytest.approx(measured / sigma)
        if math.isfinite(float(line["s"])):
            assert forecast_spread(sigma, float(line["s"])) == pytest.approx(measured)
        assert math.isnan(float(line["forecast"]))
    slopes = [r for r in lines_of(done / "measures.csv") if r["measure"] == "organ_slope"]
    assert [(r["row"], r["level"]) for r in slopes] == [("recovered", "40"), ("recovered", "70")]
    report = json.loads((done / "evaluation.json").read_text())
    assert len(report["law"]) == len(table)


def test_spreads_of_an_unknown_measure_end_an_evaluation_at_once(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spreads.json"
    path.write_text('{"liver": 0.1}')
    call = ["evaluate", str(model), str(data), *QUICK, "--out", str(tmp_path / "out")]
    assert run([*call, "--training-spreads", str(path)]) == 2
    assert "liver is not possible" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
