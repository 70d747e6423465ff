"""Coverage in a whole evaluation: slices, volumes, images without labels, earlier records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from src_core.cli import run
from tests.support.evaluations import QUICK, save_ring
from tests.support.files import rows_of
from tests.support.tiny import save_unet

pytestmark = pytest.mark.usefixtures("undrawn")


def test_every_row_has_its_coverage(done: Path) -> None:
    rows = {"random", "recovered", "no network", "elastic"}
    rows |= {"no network equal spread", "elastic equal spread"}
    table = rows_of(done / "coverage.csv")
    measured = {(r["row"], r["level"]) for r in table if r["measure"] == "area 3"}
    assert measured == {(row, level) for row in rows for level in ("40", "70")}
    assert {r["measure"] for r in table if r["kind"] == "angle"} == {"angle 1-2", "angle 1-3"}
    assert (done / "figures" / "coverage.png").is_file()
    report = json.loads((done / "evaluation.json").read_text())
    assert report["coverage"]["subjects"] == 5
    assert {r["measure"] for r in report["coverage"]["walls"]} == {"unevenness 2"}
    near = [r for r in rows_of(done / "manifold.csv") if r["row"] == "undeformed"]
    assert len(near) == 1 and near[0]["n"] == "4" and near[0]["real"] == "10"


def test_every_field_has_regularity_figures(done: Path) -> None:
    found = {(r["row"], r["measure"]) for r in rows_of(done / "measures.csv")}
    for row in ("random", "recovered", "no network", "elastic", "elastic equal spread"):
        assert {(row, "ndv"), (row, "sdlogj"), (row, "mode_1"), (row, "size_spread")} <= found


def test_volumes_have_volumes_and_positions_along_three_axes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the drift over single levels takes longer than all else here
    monkeypatch.setattr("src_core.evaluation.trials.drift", lambda *_: torch.zeros(1, 3, 4, 4, 4))
    model = save_unet(tmp_path / "tiny3d.safetensors", ndim=3, side=16)
    for name, radius in (("a", 5.0), ("b", 6.0)):
        save_ring(tmp_path / "rings", name, radius, thick=True)
    call = ["evaluate", str(model), str(tmp_path / "rings"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "40:60", "--seeds", "2", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest, "--segmenter-batches", "0", "--rows", "random"]) == 0
    found = {r["measure"]: r for r in rows_of(tmp_path / "out" / "coverage.csv")}
    assert {"volume 3", "thickness 2", "position 1 z", "angle 1-3", "elongation 2+3"} <= set(found)
    assert float(found["volume 3"]["real"]) > 0


def test_images_without_labels_have_principal_modes(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", str(model), str(data.parent / "images"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "3", "--cases", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest]) == 0
    printed = capsys.readouterr().out
    assert "mode_1, level 60:" in printed and "mode_2, level 60:" in printed
    assert "absent: elastic equal spread, the cases have no labels" in printed
    assert not (tmp_path / "out" / "coverage.csv").exists()
    spreads = {
        r["measure"]: float(r["mean"])
        for r in rows_of(tmp_path / "out" / "measures.csv")
        if r["row"] == "random" and r["measure"].startswith("mode")
    }
    assert spreads["mode_1"] > spreads["mode_2"] > 0 and 1 <= spreads["modes"] <= 2


def test_records_of_an_earlier_version_still_resume(
    model: Path, data: Path, done: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_bytes((done / "run.json").read_bytes())
    kept = []
    for text in (done / "records.jsonl").read_text().splitlines():
        trial = json.loads(text)
        for record in trial["records"]:
            record["figures"] = {
                name: value
                for name, value in record["figures"].items()
                if name.split()[0] not in ("elongation", "position", "direction", "ndv", "sdlogj")
            }
        kept.append(json.dumps(trial) + "\n")
    (tmp_path / "records.jsonl").write_text("".join(kept))
    call = ["evaluate", str(model), str(data), "--out", str(tmp_path), *QUICK, "--steps", "4"]
    assert run([*call, "--resume"]) == 0
    measured = {r["kind"] for r in rows_of(tmp_path / "coverage.csv")}
    assert {"size", "wall", "ratio"} <= measured and "angle" not in measured
