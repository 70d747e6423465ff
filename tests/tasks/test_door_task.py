"""A downstream task is a request, a class and a row: here one that the engine does not know."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run
from src_core.tasks.table import TASKS
from tests.support import tiny, volume_task
from tests.support.files import rows_of

CAVITY, WALL = (5.0, 6.0, 7.5), (3.0, 2.0, 4.0)


def write_case(folder: Path, name: str, cavity: float, wall: float) -> None:
    """A disc in a ring of some thickness, off the centre of an oblique, anisotropic grid."""
    shape = (40, 34, 3)
    far = np.hypot(*(np.indices(shape)[:2] - np.array([18, 15]).reshape(2, 1, 1, 1)))
    labels = np.where(far < cavity, 2, np.where(far < cavity + wall, 1, 0)).astype(np.uint8)
    image = (80 * labels + np.random.default_rng(0).integers(0, 20, shape)).astype(np.int16)
    for kind, values in (("images", image), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        nib.Nifti1Image(values, tiny.OBLIQUE).to_filename(folder / kind / f"{name}.nii.gz")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three subjects to train on and two others to test."""
    for name, cavity, wall in zip("abc", CAVITY, WALL, strict=True):
        write_case(tmp_path / "train", name, cavity, wall)
    for name, cavity, wall in (("d", 5.5, 2.5), ("e", 7.0, 3.5)):
        write_case(tmp_path / "test", name, cavity, wall)
    return tmp_path


@pytest.fixture(autouse=True)
def volume_row(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "volume", volume_task.ROW)


def call(data: Path, out: str, *more: str) -> int:
    folders = [str(data / "train"), str(data / "test"), "--out", str(data / out)]
    return run(["task", "volume", *folders, "--model", "tiny", *more])


def stored(folder: Path, kind: str) -> list[np.ndarray]:
    files = sorted((folder / kind).iterdir())
    return [np.asarray(nib.load(file).dataobj) for file in files]


def test_the_row_makes_a_command_with_its_options_ranges_and_defaults(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["task", "--help"]) == 0
    assert "A volume by least squares" in capsys.readouterr().out
    assert run(["task", "volume", "--help"]) == 0
    text = capsys.readouterr().out
    lines = {line.split()[1]: line for line in text.splitlines() if line.startswith("│    --")}
    assert "New cases of each case (1 to 20). [default: 2]" in lines["--copies"]
    assert "one or more of cases, warped" in lines["--training"]
    assert "more than 0" in lines["--ridge"] and "1e-09" in lines["--ridge"]
    assert "drdm task volume train/ test/" in text


def test_its_figures_are_least_squares_over_the_cases(data):
    assert call(data, "out", "--training", "cases") == 0
    wall, cavity = np.array(
        [volume_task.volumes_of(labels) for labels in stored(data / "train", "labels")]
    ).T
    slope, offset = np.polyfit(wall, cavity, 1)
    for row, labels in zip(
        rows_of(data / "out" / "results.csv"), stored(data / "test", "labels"), strict=True
    ):
        ring, disc = volume_task.volumes_of(labels)
        assert float(row["value"]) == pytest.approx(abs(offset + slope * ring - disc), rel=1e-4)
        assert (row["training"], row["seed"], row["metric"]) == ("cases", "1", "error")


def test_records_on_disk_have_the_words_of_the_task(data, capsys):
    assert call(data, "out", "--repeats", "2", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [m["training"] for m in report["means"]] == ["cases", "warped"]
    lines = (data / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [(t["training"], t["seed"]) for t in found] == [
        ("cases", 1), ("cases", 2), ("warped", 1), ("warped", 2)]  # fmt: skip
    assert {tuple(r) for t in found for r in t["records"]} == {
        ("case", "subject", "training", "seed", "figures")
    }
    errors = [[r["figures"]["error"] for r in t["records"]] for t in found]
    assert errors[0] == errors[1] and len({tuple(e) for e in errors}) == 3
    table = (data / "out" / "table.md").read_text(encoding="utf-8").splitlines()
    mean = np.mean(errors[0])
    assert table[0] == "| training | error, voxels |"
    assert table[2].startswith(f"| cases | {mean:.1f} (")


def test_a_run_that_stops_resumes_and_ends_as_one_that_did_not(data, monkeypatch, capsys):
    assert call(data, "whole", "--repeats", "2") == 0
    measure, measured = volume_task.PreparedVolume.measure, []

    def stopping(self, key):
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(key)
        yield from measure(self, key)

    monkeypatch.setattr(volume_task.PreparedVolume, "measure", stopping)
    assert call(data, "parts", "--repeats", "2") == 130
    assert "--resume" in capsys.readouterr().err
    assert rows_of(data / "parts" / "results.csv") == rows_of(data / "whole" / "results.csv")[:6]
    measured.clear()
    assert call(data, "parts", "--repeats", "2", "--resume") == 0
    assert measured == [("warped", 2)]
    for name in ("records.jsonl", "results.csv", "results.json", "table.md"):
        assert (data / "parts" / name).read_bytes() == (data / "whole" / name).read_bytes()
    capsys.readouterr()
    assert call(data, "parts", "--repeats", "2", "--resume", "--copies", "3") == 2
    assert "another model, data set or options" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--copies", "21"], "21 is not possible, --copies, expected 1 to 20"),
        (
            ["--training", "cases,dreams"],
            "dreams is not possible, --training, expected one or more of",
        ),
        (["--ridge", "0"], "0.0 is not possible, --ridge, expected more than 0"),
        (["--copies", "few"], "--copies"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(data, capsys, options, message):
    assert call(data, "out", *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (data / "out").exists()
