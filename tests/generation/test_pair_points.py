"""Landmarks of a pair lie on the same tissue in both images, by SimpleITK."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from src_core.cases.grid import RAS_TO_LPS
from src_core.cases.point_set import PointSet
from src_core.generation import Options, generate
from src_core.generation.pairs import make_pair, save_pair
from src_core.io.points import read_points
from tests.support import tiny
from tests.support.ramps import ramp

FIRST, SECOND = Options(level=60, seed=3), Options(level=45, seed=8)


def test_landmarks_are_the_truth_in_both_images(tmp_path: Path) -> None:
    case, model = ramp((46, 38, 4), 1.0), tiny.model(2)
    size = np.array(case.grid.shape) - 1
    voxels = np.random.default_rng(1).uniform(0.35 * size, 0.65 * size, size=(12, 3))
    places = (voxels @ case.grid.affine[:3, :3].T + case.grid.affine[:3, 3]) * RAS_TO_LPS
    pair = make_pair(case, model, FIRST, SECOND, points=[PointSet(places)])
    written = save_pair(pair, tmp_path / "pair")
    moving, fixed = (
        read_points(written / f"{side}-points.csv").positions for side in ("moving", "fixed")
    )
    between = sitk.ReadImage(str(written / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(between)
    there = np.array([transform.TransformPoint(p) for p in fixed.tolist()])
    assert np.abs(case.grid.to_voxels(there - moving)).max() < 0.01
    assert np.linalg.norm(moving - fixed, axis=1).max() > 1
    before = generate(case, model, **FIRST.model_dump()).displacement
    voxel = np.linalg.inv(case.grid.affine)
    at = (moving * RAS_TO_LPS) @ voxel[:3, :3].T + voxel[:3, 3]
    nearest = before[tuple(at.round().astype(int).clip(0, size).T)]
    assert np.abs(case.grid.to_voxels(moving + nearest - places)).max() < 0.5
    metrics = json.loads((written / "metrics.json").read_text())["points"]
    assert sorted(metrics) == ["fixed-points.csv", "moving-points.csv"]
    recipe = json.loads((written / "recipe.json").read_text())
    assert list(recipe["points"]) == ["points.csv"]
    assert {"moving-points.csv", "fixed-points.csv"} <= recipe["outputs"].keys()
