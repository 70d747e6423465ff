"""Measures of real hearts and hippocampi in a model's grid, against the label maps as stored."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.datasets.entry import Entry
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.cases import load_case
from src_core.evaluation.reference import read_reference
from src_core.evaluation.spread import spread_measures
from src_core.models.library import load_model
from tests.support.paths import ROOT

HIPPOCAMPUS = ROOT / "resources" / "restricted" / "hippocampus.safetensors"


def entries(folder: Path, count: int) -> list[Entry]:
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    images = sorted((folder / "images").glob("*.nii.gz"))[: 2 * count : 2]
    return [Entry(path, folder / "labels" / path.name, path.name) for path in images]


def test_hearts_in_the_middle_slice(data_dir: Path) -> None:
    cases, spec = entries(data_dir / "acdc", 4), load_model("cardiac-sax", "cpu").spec
    anatomy = Anatomy((1, 2, 3), ((2, 3),))
    *_, (_, found) = read_reference(cases, spec, anatomy, "middle")
    stored = {n: [] for n in ("area 1", "area 3", "elongation 2+3")}
    for entry in cases:
        image = nib.load(entry.labels)
        slab = load_case(entry, spec, anatomy.labels, "middle").slab
        labels, zooms = np.asarray(image.dataobj)[..., slab], image.header.get_zooms()[:2]
        for name in ("area 1", "area 3"):
            stored[name].append((labels == int(name[-1])).sum() * np.prod(zooms))
        squares = np.linalg.eigvalsh(np.cov((np.argwhere(labels > 1) * zooms).T))
        stored["elongation 2+3"].append(np.sqrt(squares[1] / squares[0]))
    for measure in (m for m in spread_measures(anatomy, 2) if m.name in stored):
        values = measure.values(found.figures())[:, 0]
        assert values == pytest.approx(np.log(stored[measure.name]), abs=0.03)


def test_hippocampi_in_three_dimensions(data_dir: Path) -> None:
    cases = entries(data_dir / "hippocampus", 4)
    spec = load_model(HIPPOCAMPUS, "cpu").spec
    *_, (_, found) = read_reference(cases, spec, Anatomy((1, 2)))
    for value in (1, 2):
        stored = [
            (np.asarray((image := nib.load(e.labels)).dataobj) == value).sum()
            * abs(np.linalg.det(image.affine[:3, :3]))
            / 1000
            for e in cases
        ]
        assert found.shapes[f"volume {value}"] == pytest.approx(np.array(stored), rel=0.05)
    # the anterior part lies before the posterior one, along the second axis
    along = np.abs(found.poses["direction 1-2 y"])
    assert (along > 0.7).all()
