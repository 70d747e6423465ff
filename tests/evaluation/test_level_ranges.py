"""Ranges of levels, from which each seed of a case draws its own; and the slice of a case."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run
from src_core.datasets.entry import Entry
from src_core.errors import InputError
from src_core.evaluation.cases import load_case
from src_core.evaluation.levels import drawn_level, level_bounds, level_order, levels_form
from src_core.evaluation.options import EvaluationRequest
from src_core.evaluation.plan import make_plan
from src_core.models.library import load_model
from tests.support.files import rows_of


def test_levels_and_ranges_are_read_and_written():
    form = levels_form()
    assert form.parse("70,30:70, 5") == (70, "30:70", 5)
    assert form.write((70, "30:70")) == "70,30:70"
    plan = make_plan(EvaluationRequest("m", "d", "o", levels=("30:70", 70, 30, "5:40")), 80, 8)
    assert plan.levels == (30, "5:40", "30:70", 70)
    assert [level_bounds(level) for level in plan.levels] == [(30, 30), (5, 40), (30, 70), (70, 70)]
    assert level_order("30:70") < level_order(70)


@pytest.mark.parametrize("levels", [("70:30",), ("0:30",), ("30-70",), (0,), ()])
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(InputError, match="levels"):
        EvaluationRequest("m", "d", "o", levels=levels)


def test_a_range_beyond_the_model_is_refused():
    with pytest.raises(InputError, match="1 to 80"):
        make_plan(EvaluationRequest("m", "d", "o", levels=("30:90",)), 80, 8)


def test_seeds_draw_every_level_of_a_range_alike():
    drawn = Counter(drawn_level("3:7", seed, code) for seed in range(100) for code in range(20))
    assert set(drawn) == {3, 4, 5, 6, 7}
    assert all(320 < count < 480 for count in drawn.values())
    assert drawn_level("3:7", 5, 11) == drawn_level("3:7", 5, 11)
    assert {drawn_level(48, seed, 0) for seed in range(9)} == {48}


@pytest.mark.usefixtures("undrawn")
def test_a_range_is_evaluated_as_one_level(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["evaluate", str(model), str(data), "--out", str(out), "--levels", "20:70,40"]
    call += ["--seeds", "3", "--cases", "2", "--device", "cpu", "--segmenter-batches", "0"]
    assert run([*call, "--rows", "random,recovered", "--slice", "middle"]) == 0
    printed = capsys.readouterr().out
    assert "20:70 recovered" in printed and "spread over seeds" in printed
    trials = [json.loads(text) for text in (out / "records.jsonl").read_text().splitlines()]
    drawn = {
        record["figures"]["drawn_level"]
        for trial in trials
        for record in trial["records"]
        if record["level"] == "20:70" and record["seed"]
    }
    assert len(drawn) > 2 and min(drawn) >= 20 and max(drawn) <= 70
    table = {(r["level"], r["row"], r["measure"]) for r in rows_of(out / "coverage.csv")}
    assert {("20:70", "recovered", "area 3"), ("40", "random", "thickness 2")} <= table
    report = json.loads((out / "evaluation.json").read_text())
    assert report["plan"]["levels"] == [40, "20:70"] and report["plan"]["slice"] == "middle"
    assert {r["paper_level"] for r in report["at_the_papers_magnitudes"]} == {30, 45, 55, 65, 70}


def test_the_middle_slice_is_among_those_with_every_label(model: Path, tmp_path: Path) -> None:
    labels = np.zeros((40, 52, 9), np.uint8)
    labels[10:20, 10:20, 1:8] = 1
    labels[25:35, 20:30, 2:7] = 2
    labels[5:35, 30:50, 1] = 1
    paths = [tmp_path / f"{kind}.nii.gz" for kind in ("image", "labels")]
    for path, values in zip(paths, (labels.astype(np.int16) * 50, labels), strict=True):
        nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.5, 8, 1])), path)
    entry, spec = Entry(*paths, "s"), load_model(model, "cpu").spec
    assert load_case(entry, spec, (1, 2)).slab == 1
    assert load_case(entry, spec, (1, 2), "middle").slab == 4
    assert load_case(entry, spec, (1, 2, 7), "middle").slab == 4
    assert load_case(entry, spec, (7,), "middle").slab == 4
