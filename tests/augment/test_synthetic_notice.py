"""Synthetic, for research only: in every file of a run, in any layout."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
from PIL import Image as Picture

from src_core.augment import augment, make_plan
from src_core.augment.contact_sheet import save_sheet
from src_core.augment.layouts.layout import described
from src_core.augment.summary import save_summary
from src_core.cases.synthetic import SYNTHETIC
from src_core.models.model import Model
from tests.support.augmenting import asked


def words(path: Path) -> str:
    return bytes(nib.load(path).header["descrip"].tobytes()).rstrip(b"\0").decode()


def check(out: Path) -> None:
    """Volumes made, metrics and descriptions say it."""
    volumes = list(out.rglob("*.nii.gz"))
    assert volumes and [p for p in volumes if not words(p).startswith(SYNTHETIC)] == []
    metrics = list(out.rglob("metrics/*.json"))
    assert metrics and all(json.loads(p.read_text())["notice"] == SYNTHETIC for p in metrics)


def test_cases_in_every_layout(data: Path, model: Model, tmp_path: Path) -> None:
    out, layouts = tmp_path / "out", ("nifti", "nnunet", "decathlon")
    request = asked(data, out, formats=layouts, per_case=1, levels=(30, 30))
    assert {m.state for m in augment(make_plan(request, model), model)} == {"made"}
    check(out)
    described_in = sorted(out.rglob("dataset.json"))
    assert len(described_in) == 2
    for path in described_in:
        assert json.loads(path.read_text())["description"].startswith(SYNTHETIC)
    assert SYNTHETIC in save_summary(out).read_text()
    with Picture.open(save_sheet(out)) as sheet:
        assert sheet.info["Description"].startswith(SYNTHETIC)


def test_pairs_in_every_layout(made_pairs: Path) -> None:
    check(made_pairs)
    (path,) = made_pairs.rglob("dataset.json")
    assert json.loads(path.read_text())["description"].startswith(SYNTHETIC)


def test_a_description_of_the_source_follows_and_stays_once() -> None:
    once = described({"description": "Hearts of ten people", "licence": "CC0"})
    assert once["description"].startswith(SYNTHETIC) and once["licence"] == "CC0"
    assert once["description"].endswith("Hearts of ten people")
    assert described(once) == once
