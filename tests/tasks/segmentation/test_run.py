"""``drdm task segmentation`` on rings made here, by a small network with random weights."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from src_core.cli import run
from tests.support.files import rows_of
from tests.support.tiny import save_unet

OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("zyx", (10, 10, 5), degrees=True).as_matrix() * (1.2, 1.5, 8)
SMALL = [
    *("--subjects", "1,2", "--subsets", "2", "--times", "2", "--steps", "8", "--batch", "2"),
    *("--size", "32", "--methods", "none,drdm", "--device", "cpu"),
]


def ring(radius: float) -> tuple[np.ndarray, np.ndarray]:
    x, y, z = np.indices((40, 52, 3)) - np.array([20, 26, 1]).reshape(3, 1, 1, 1)
    distance = np.sqrt(x**2 + y**2) + 0.5 * (abs(z) == 1)
    labels = np.where(distance < radius, 9, np.where(distance < radius + 4, 4, 0)).astype(np.uint8)
    return (np.array([20, 90, 140])[labels // 4] + 10 * np.cos(x / 2)).astype(np.int16), labels


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data set of three subjects to train, one to validate and two to test, and a model."""
    rows = ["image,labels,subject,split"]
    for index, name in enumerate(("a_ed", "a_es", "b_ed", "c_ed", "v_ed", "t_ed", "u_ed")):
        for kind, values in zip("il", ring(6.0 + index), strict=True):
            nib.save(nib.Nifti1Image(values, OBLIQUE), tmp_path / f"{name}-{kind}.nii.gz")
        split = "train" if index < 4 else "val" if index < 5 else "test"
        rows.append(f"{name}-i.nii.gz,{name}-l.nii.gz,{name[0]},{split}")
    (tmp_path / "set.csv").write_text("\n".join(rows) + "\n")
    save_unet(tmp_path / "tiny.safetensors")
    return tmp_path


def call(home: Path, out: str, *more: str) -> int:
    data = str(home / "set.csv")
    model = ("--model", str(home / "tiny.safetensors"), "--fields", str(home / "fields"))
    return run(
        ["task", "segmentation", data, data, "--out", str(home / out), *model, *SMALL, *more]
    )


def lines_of(folder: Path) -> list[str]:
    return sorted(
        line for file in folder.glob("records*.jsonl") for line in file.read_text().splitlines()
    )


@pytest.mark.usefixtures("within_half_a_minute")
def test_a_small_comparison_ends_in_tables_intervals_and_a_figure(home, capsys):
    assert call(home, "out", "--external", str(home / "set.csv"), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["labels"] == [4, 9] and report["training_cases"] == 4
    assert report["test_cases"] == ["t_ed-i", "u_ed-i"]
    rows = rows_of(home / "out" / "results.csv")
    assert {(r["method"], r["subjects"], r["subset"]) for r in rows} == {
        (m, s, k) for m in ("none", "drdm") for s in "12" for k in "12"
    }
    values = [
        float(r["value"])
        for r in rows
        if (r["method"], r["subjects"], r["tested"]) == ("drdm", "2", "test")
        and (r["metric"], r["label"]) == ("dsc", "4")
    ]
    mean = next(
        m for m in report["means"]
        if (m["method"], m["subjects"], m["measure"]) == ("drdm", 2, "dsc 4")
    )  # fmt: skip
    assert mean["mean"] == pytest.approx(np.mean(values), abs=1e-5) and len(values) == 4
    assert (mean["test_subjects"], mean["subsets"], mean["trainings"]) == (2, 2, 2)
    pair = next(p for p in report["paired"] if (p["method"], p["measure"]) == ("drdm", "dsc"))
    assert pair["against"] == "none" and pair["low"] <= pair["mean"] <= pair["high"]
    assert report["external_means"] == report["means"]
    course = [c for c in report["course"] if (c["method"], c["subjects"]) == ("none", 1)]
    assert [c["step"] for c in course] == [2, 4, 6, 8] and all(c["dsc"] > 0 for c in course)
    table = (home / "out" / "table.md").read_text(encoding="utf-8")
    assert "| 1 | drdm | none | " in table and "| subjects | method | 2 | 4 | 6 | 8 |" in table
    assert (home / "out" / "results.png").stat().st_size > 10_000
    capsys.readouterr()
    assert call(home, "out", "--report-only", "--external", str(home / "set.csv")) == 0
    assert capsys.readouterr().out.startswith(table)


def test_processes_turns_and_a_run_that_stops_give_the_lines_of_one_run(home, monkeypatch):
    assert call(home, "whole") == 0
    whole = lines_of(home / "whole")
    assert len(whole) == 8
    for number in (1, 2):
        assert call(home, "shared", "--process", f"{number}/2", "--resume") == 0
    assert lines_of(home / "shared") == whole
    assert {f.name for f in (home / "shared").iterdir()} == {
        "records-1.jsonl", "records-2.jsonl", "run.json"
    }  # fmt: skip
    assert call(home, "together", "--together", "3") == 0
    assert lines_of(home / "together") == whole
    module, begun = import_module("src_core.tasks.segmentation.run"), list[int]()

    def stopping(*args, **kwargs):
        if len(begun) == 3:
            raise KeyboardInterrupt
        begun.append(1)
        return training(*args, **kwargs)

    training = module.Training
    monkeypatch.setattr(module, "Training", stopping)
    assert call(home, "parts") == 130
    assert len(lines_of(home / "parts")) == 3
    begun.clear()
    monkeypatch.setattr(module, "Training", training)
    assert call(home, "parts", "--resume") == 0
    assert lines_of(home / "parts") == whole
    assert rows_of(home / "parts" / "results.csv") == rows_of(home / "whole" / "results.csv")


def test_fields_alone_can_be_made_by_several_processes_and_are_used_as_they_are(home):
    methods = ("--methods", "drdm,random,elastic", "--subjects", "3", "--subsets", "1")
    assert call(home, "one", *methods, "--prepare", "--process", "1/2") == 0
    first = {f.name for f in (home / "fields").iterdir()}
    assert call(home, "one", *methods, "--prepare", "--process", "2/2", "--resume") == 0
    files = {f.name: f.stat().st_mtime_ns for f in (home / "fields").iterdir()}
    assert len(first) == 4 and set(files) == {
        f"{n}-i-{k}.safetensors"
        for n in ("a_ed", "a_es", "b_ed", "c_ed")
        for k in ("drdm", "random")
    }
    assert not (home / "one" / "records.jsonl").exists()
    assert call(home, "two", *methods, "--methods", "drdm") == 0
    assert {f.name: f.stat().st_mtime_ns for f in (home / "fields").iterdir()} == files


def test_a_run_takes_further_methods_but_no_other_options(home, capsys):
    one = ("--subjects", "1", "--subsets", "1")
    assert call(home, "out", *one, "--methods", "none") == 0
    before = lines_of(home / "out")
    assert call(home, "out", *one, "--methods", "none,pose", "--resume") == 0
    assert len(lines_of(home / "out")) == 2 and set(before) < set(lines_of(home / "out"))
    assert call(home, "out", *one, "--resume", "--elastic-strength", "2") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert call(home, "out", *one, "--methods", "none") == 2


def test_strengths_are_chosen_on_validation_cases(home, capsys):
    one = ("--subjects", "1", "--subsets", "1", "--methods", "none")
    assert call(home, "out", *one, "--validate", "--json") == 0
    assert json.loads(capsys.readouterr().out)["test_cases"] == ["v_ed-i"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--methods", "none,magic"), "magic is not possible, --methods"),
        (("--subjects", "4"), "4 subjects are unavailable"),
        (("--subjects", "few"), "few is not possible, --subjects"),
        (("--levels", "70:30"), "70:30 is not possible, --levels"),
        (("--levels", "high"), "high is not possible, --levels"),
        (("--size", "40"), "40 is not possible, --size"),
        (("--rate", "0"), "0.0 is not possible, --rate"),
        (("--times", "0"), "0 is not possible, --times"),
        (("--elastic-strength", "0"), "0.0 is not possible, --elastic-strength"),
        (("--process", "3/2"), "3/2 is not possible, --process"),
        (("--report-only",), "there is no run to report"),
        (("--external", "absent.csv"), "no such data set"),
    ],
)
def test_what_is_not_possible_is_reported_in_one_line(home, capsys, options, message):
    assert call(home, "out", *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (home / "out").exists()
