"""``drdm evaluate``: tables, records and figures, resuming, bad options and data sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src_core.cli import run
from tests.support.evaluations import QUICK
from tests.support.files import rows_of

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_run_leaves_tables_records_and_figures(done: Path) -> None:
    names = {p.name for p in done.iterdir()}
    assert {"evaluation.json", "table1.csv", "measures.csv", "paired.csv", "run.json"} <= names
    drawn = {p.name for p in (done / "figures").iterdir()}
    assert {"magnitude.png", "octaves.pdf", "shapes.png", "pictures-level-70.png"} <= drawn
    report = json.loads((done / "evaluation.json").read_text())
    assert report["labels"] == [1, 2, 3] and report["walls"] == [[2, 3]]
    assert set(report["absent"]) == {"release", "registered", "agreement"}
    assert report["reference_cases"] == 6
    assert report["plausibility"]["real_against_real"]["all shapes"] > 0


def test_every_level_has_the_rows_that_need_no_network(done: Path) -> None:
    table = [(int(r["level"]), r["row"], int(r["n"])) for r in rows_of(done / "table1.csv")]
    expected = [(0, "undeformed", 4)]
    for level in (40, 70):
        kinds = ["random", "recovered", "no network", "elastic"]
        kinds += ["no network equal spread", "elastic equal spread"]
        expected += [(level, row, 8) for row in kinds]
    assert table == expected


def test_rows_move_as_much_as_the_recovered_one(done: Path) -> None:
    means = {
        (r["row"], r["level"]): float(r["mean_mean"])
        for r in rows_of(done / "table1.csv")
        if r["n"]
    }
    for level in ("40", "70"):
        assert means["elastic", level] == pytest.approx(means["recovered", level], rel=1e-4)
        wanted = min(means["recovered", level], means["random", level])
        assert means["no network", level] == pytest.approx(wanted, rel=0.05)


def test_all_is_certified_after_the_guard(done: Path) -> None:
    for row in rows_of(done / "table1.csv"):
        if row["certified_mean"]:
            assert float(row["certified_mean"]) == 1.0
            assert 0 < float(row["guard_scale_mean"]) <= 1


def test_what_is_measured_of_the_model_is_there(done: Path) -> None:
    found = {(r["row"], r["measure"]) for r in rows_of(done / "measures.csv")}
    of_recovered = {
        *("removed", "removed_8", "removed_32", "removed_finer", "shared", "diversity"),
        *("sensitivity_worst", "sensitivity_worst_of_all", "residual", "area 3", "thickness 2"),
    }
    assert {("recovered", m) for m in of_recovered} <= found
    assert {("drift", "drift"), ("drift", "drift_single_levels"), ("random", "shared")} <= found


def test_a_run_resumes_and_ends_with_the_same_records(
    model: Path, data: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (done / "records.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "run.json").write_bytes((done / "run.json").read_bytes())
    (tmp_path / "records.jsonl").write_text("".join(whole[:5]) + whole[5][:40])
    call = ["evaluate", str(model), str(data), "--out", str(tmp_path), *QUICK, "--steps", "4"]
    assert run([*call, "--resume", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    again = (tmp_path / "records.jsonl").read_text().splitlines(keepends=True)
    assert [timeless(line) for line in again] == [timeless(line) for line in whole]
    assert again[:5] == whole[:5]
    before = json.loads((done / "evaluation.json").read_text())
    assert report["plausibility"] == before["plausibility"]


def timeless(line: str) -> dict[str, object]:
    values = json.loads(line)
    for record in values["records"]:
        record["figures"].pop("seconds", None)
    return values


def test_other_options_do_not_resume_a_run(
    model: Path, data: Path, done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", str(model), str(data), "--out", str(done), *QUICK]
    before = {p: p.read_bytes() for p in done.iterdir() if p.is_file()}
    assert run([*call, "--steps", "5", "--resume"]) == 2
    assert "another model, data set or options" in capsys.readouterr().err
    assert run(call) == 2
    assert "not empty" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in done.iterdir() if p.is_file()} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--levels", "40,90"], "--levels"),
        (["--levels", "forty"], "--levels"),
        (["--steps", "0"], "--steps"),
        (["--seeds", "0"], "--seeds"),
        (["--cases", "99"], "--cases"),
        (["--rows", "random,magic"], "--rows"),
        (["--elastic-points", "3"], "--elastic-points"),
        (["--reference", "nowhere"], "nowhere"),
        (["--segmenter", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--release", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_bad_options_are_reported_in_a_line_and_leave_nothing(
    model: Path,
    data: Path,
    tmp_path: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run(["evaluate", str(model), str(data), "--out", str(out), *words]) == 2
    error = capsys.readouterr().err
    assert error.count("error:") == 1 and message in error and "Traceback" not in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels\na.nii.gz\n", "no column image"),
        ("image\nmissing.nii.gz\n", "missing.nii.gz"),
        ("image,labels\n,x\n", "line 2"),
        ("image\n", "empty"),
    ],
)
def test_bad_data_sets_are_reported(
    model: Path, tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(text)
    assert run(["evaluate", str(model), str(table), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
