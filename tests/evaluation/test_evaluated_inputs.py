"""``drdm evaluate`` of images alone, one subject, volumes, and a model that predicts nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src_core.cli import run
from tests.support.evaluations import save_ring
from tests.support.tiny import save_unet

pytestmark = pytest.mark.usefixtures("undrawn")


def test_images_without_labels_are_measured_without_shapes(
    model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = ["evaluate", str(model), str(data.parent / "images"), "--out", str(out)]
    rest = ["--levels", "60", "--seeds", "1", "--cases", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest]) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["labels"] == [] and "shapes" in report["absent"]
    assert {r["row"] for r in report["table1"]} >= {"recovered", "no network", "elastic"}


def test_labels_without_other_subjects_draw_what_there_is(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    save_ring(tmp_path / "rings", "alone", 6.0)
    call = ["evaluate", str(model), str(tmp_path / "rings"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest, "--rows", "random,recovered", "--segmenter-batches", "0"]) == 0
    drawn = {p.stem for p in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {"magnitude", "octaves", "pictures-level-60"}


def test_volumes_are_measured_by_the_same_code(tmp_path: Path) -> None:
    model = save_unet(tmp_path / "tiny3d.safetensors", ndim=3, side=16)
    for name, radius in (("a", 5.0), ("b", 6.0)):
        save_ring(tmp_path / "rings", name, radius, thick=True)
    call = ["evaluate", str(model), str(tmp_path / "rings"), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "1", "--cases", "1", "--steps", "2", "--device", "cpu"]
    assert run([*call, *rest]) == 0
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    measured = {m["measure"] for m in report["measures"] if m["row"] == "recovered"}
    assert {"volume 3", "thickness 2", "removed_16", "strict"} <= measured
    assert all(r["certified"]["mean"] == 1 for r in report["table1"] if "certified" in r)


def test_a_model_that_predicts_nothing_removes_nothing_and_does_not_drift(
    data: Path, tmp_path: Path
) -> None:
    still = save_unet(tmp_path / "still.safetensors", still=True)
    call = ["evaluate", str(still), str(data), "--out", str(tmp_path / "out")]
    rest = ["--levels", "60", "--seeds", "2", "--cases", "1", "--steps", "2,3", "--device", "cpu"]
    assert run([*call, *rest, "--segmenter-batches", "0"]) == 0
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    mean = {(m["row"], m["steps"], m["measure"]): m["mean"] for m in report["measures"]}
    assert mean["recovered", 2, "removed"] == pytest.approx(0, abs=1e-6)
    assert mean["drift", 2, "drift"] == mean["drift", 2, "drift_single_levels"] == 0
    assert mean["recovered", 2, "residual"] == 0
    assert mean["recovered", 2, "sensitivity_worst"] < 1e-4
    assert report["steps"]["fewest"] == 2
