"""The fit of an image in the shell: a line, a warning, a run's log, and the verbs of models."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run as drdm
from src_core.models.checkpoint import add_statistics
from src_core.models.image_fit import FitStatistics
from tests.support import tiny


def model_file(folder: Path, offset: float) -> Path:
    """A model that every image fits (below 0), or none (above)."""
    path, zero = tiny.save(folder), np.zeros(16)
    return add_statistics(path, FitStatistics(4, zero, zero + 1, zero, offset, 2, 9), path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(40, 52, 3)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.2, 8, 1])), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


@pytest.mark.parametrize(("offset", "verdict"), [(-3.0, "fits"), (3.0, "does not fit")])
def test_generate_prints_the_fit_and_warns(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], offset: float, verdict: str
) -> None:
    model, out = model_file(tmp_path, offset), tmp_path / "new"
    call = ["generate", str(image), "--model", str(model), "--level", "9", "--out", str(out)]
    assert drdm(call) == 0
    shown = capsys.readouterr()
    assert f"\nfit           {verdict} (0." in shown.out
    assert "no folds (says nothing about plausibility)" in shown.out
    misfit = verdict != "fits"
    assert (
        "warning: the image is unlike the images that tiny was trained on" in shown.err
    ) == misfit
    assert ("caution       the image does not fit the model" in shown.out) == misfit
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["fit"]["verdict"] == verdict


def test_augment_warns_once_for_a_case(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = model_file(tmp_path / "models", 3.0), tmp_path / "more"
    scans = tmp_path / "set.csv"
    scans.write_text(f"image\n{image.name}\n")
    call = ["augment", str(scans), "--per-case", "2", "--levels", "9:9", "--out", str(out)]
    assert drdm([*call, "--model", str(model), "--format", "nifti"]) == 0
    assert capsys.readouterr().err.count("unlike the images that tiny was trained on") == 1
    assert "may not fit the model: scan" in (out / "summary.html").read_text()


def test_models_fit_prints_a_table(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, table = model_file(tmp_path / "models", -3.0), tmp_path / "kinds.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["image", "kind", "fits"], [image, "known", "yes"], [image, "other", "no"]]
        )
    assert drdm(["models", "fit", str(model), str(table), "--json"]) == 0
    known, other = json.loads(capsys.readouterr().out)["kinds"]
    assert known["doubtful_or_worse"] == 0 and other["auroc"] == {"known": 0.5}
    assert drdm(["models", "fit", str(tiny.save(tmp_path, name="bare")), str(table)]) == 2
    assert "no statistics" in capsys.readouterr().err
