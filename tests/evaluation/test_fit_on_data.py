"""The shipped model of hearts, shown hearts of another hospital and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import src_core as drdm
from src_core.evaluation.fit_table import KindOfImage, auroc, fit_report, measure_kinds
from src_core.generation import Session
from src_core.models.checkpoint import load_file
from tests.support.paths import ROOT


def test_hearts_of_another_hospital_fit_and_other_images_do_not(data_dir: Path) -> None:
    hearts = [f"patient{patient:03d}_frame01.nii.gz" for patient in (13, 34, 55, 76, 93)]
    chests = sorted((data_dir / "thorax_mr" / "images").glob("*_axial.nii.gz"))[1::9]
    kinds = [
        KindOfImage("hearts", "yes", [data_dir / "acdc" / "images" / name for name in hearts], []),
        KindOfImage("axial localizers", "no", chests, []),
        KindOfImage("chest CT", "no", [data_dir / "lung_ct" / "CIP_ct-64.nii.gz"], []),
    ]
    model = load_file(ROOT / "resources" / "cardiac-sax.safetensors", torch.device("cpu"))
    assert [step.done for step in measure_kinds(model, kinds)][-1] == 6 + len(chests)
    for row in fit_report(kinds)[1:]:
        assert row["auroc"]["hearts"] >= 0.98, row
    with np.load(data_dir / "brain" / "test_scan.npz") as file:
        brain = file["vol"].squeeze()
    slices = [np.take(brain, 2 * brain.shape[axis] // 5, axis)[..., None] for axis in range(3)]
    scores = [Session(drdm.Case.from_arrays(one), model).fit.score or 0.0 for one in slices]
    assert auroc(kinds[0].scores, scores) == 1.0
    assert all(score < 0.5 for score in scores)
