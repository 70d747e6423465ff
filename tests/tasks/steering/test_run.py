"""A test of targets from the shell: small rings, two cases, a seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from src_core.cli import run
from tests.support import tiny
from tests.support.files import rows_of
from tests.support.rings import save_ring

SETS = ("volume 3 x1.2", "thickness 2 +1 mm", "place 3 2 mm")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rings: four real ones and two to test."""
    folder = tmp_path_factory.mktemp("rings")
    rows = ["image,labels,subject,split"]
    for number, radius in enumerate((5.0, 5.5, 6.5, 7.5, 6.0, 7.0)):
        name = f"p{number}"
        save_ring(folder, name, radius)
        split = "train" if number < 4 else "test"
        rows.append(f"images/{name}.nii.gz,labels/{name}.nii.gz,{name},{split}")
    (folder / "rings.csv").write_text("\n".join(rows) + "\n")
    return folder / "rings.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("model"))


def call(data: Path, model: Path, out: Path, *more: str) -> int:
    sets = [word for words in SETS for word in ("--target", words)]
    options = [
        "--seeds",
        "1",
        "--plain-levels",
        "30,60",
        "--plain-seeds",
        "1",
        "--segmenter-batches",
        "0",
    ]
    files = [str(data), "--model", str(model), "--out", str(out)]
    return run(["task", "steering", *files, *sets, *options, *more])


@pytest.fixture(scope="module")
def done(data: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("steered") / "out"
    assert call(data, model, out) == 0
    return out


def test_each_case_is_measured_with_each_set_and_without(done: Path) -> None:
    lines = (done / "records.jsonl").read_text(encoding="utf-8").splitlines()
    trials = [json.loads(line) for line in lines]
    keys = {(t["case"], t["target"], t["level"], t["seed"]) for t in trials}
    wanted = [(words, 48) for words in SETS] + [("none", 30), ("none", 60)]
    assert keys == {(case, *one, 1) for case in ("p4", "p5") for one in wanted}
    for trial in trials:
        (record,) = trial["records"]
        figures = record["figures"]
        assert figures["change"] > 0 and np.isfinite(figures["nearest"])
        if trial["target"] == "volume 3 x1.2":
            assert figures["asked"] == 1.2
            assert figures["error"] == pytest.approx(abs(figures["got"] - 1.2))
            assert figures["draws_rms"] > 0.5 and figures["distance"] >= 0


def test_the_table_has_every_set(done: Path) -> None:
    report = json.loads((done / "results.json").read_text(encoding="utf-8"))
    assert [row["target"] for row in report["reached"]] == [*SETS, "all sizes", "all"]
    assert report["reached"][0]["runs"] == 2 and report["walls"] == [[2, 3]]
    table = (done / "table.md").read_text(encoding="utf-8")
    assert table.count("| volume 3 x1.2 |") == 2 and "nearest real shape" in table
    assert (done / "asked-got.png").is_file()
    rows = rows_of(done / "results.csv")
    assert {r["target"] for r in rows} == {*SETS, "none"}


def test_a_run_resumes_and_reports_alone(
    data: Path, model: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from src_core.tasks.steering import run as steering

    measure, measured = steering.PreparedSteering.measure, []

    def stopping(self, key):
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(key)
        yield from measure(self, key)

    monkeypatch.setattr(steering.PreparedSteering, "measure", stopping)
    out = tmp_path / "out"
    assert call(data, model, out) == 130
    assert call(data, model, out, "--report-only") == 0
    report = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert sum(row["runs"] for row in report["reached"] if row["target"] in SETS) == 3
    measured.clear()
    monkeypatch.setattr(steering.PreparedSteering, "measure", measure)
    assert call(data, model, out, "--resume") == 0
    untimed = [
        [row for row in rows_of(folder / "results.csv") if row["metric"] != "seconds"]
        for folder in (out, done)
    ]
    assert untimed[0] == untimed[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "volume 7 x1.2"], "no case has label 7 of 'volume 7 x1.2', --target"),
        (["--target", "volume 3"], "is not possible, --target"),
        (["--level", "0"], "0 is not possible, --level"),
        (["--targets", "nowhere.txt"], "the targets cannot be read, nowhere.txt"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(
    data: Path, model: Path, tmp_path: Path, capsys, words: list[str], message: str
) -> None:
    assert call(data, model, tmp_path / "out", *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()
