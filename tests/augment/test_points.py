"""Landmarks and surfaces of a data set: the columns of a CSV, what a run writes, replay."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from src_core.augment import Request, augment, make_plan
from src_core.cli import run as drdm
from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.io.points import read_points
from src_core.models.model import Model
from tests.support.rings import oblique, save_ring
from tests.support.surfaces import ellipsoid


@pytest.fixture
def table(tmp_path: Path) -> Path:
    save_ring(tmp_path, "a", 6)
    affine = oblique()
    places = np.array([[12, 20, 1], [17, 26, 1.2], [14, 23, 0.8]])
    ras = places @ affine[:3, :3].T + affine[:3, 3]
    rows = "".join("{:.4f},{:.4f},{:.4f}\n".format(*place) for place in ras)
    (tmp_path / "a.csv").write_text("x,y,z\n" + rows)
    middle = ras[2] * [-1, -1, 1]
    (tmp_path / "a.vtk").write_bytes(ellipsoid(middle, np.array([5.0, 6, 3])))
    text = "image,labels,points,surface,coordinates\nimages/a.nii.gz,labels/a.nii.gz,a.csv,a.vtk,"
    (tmp_path / "data.csv").write_text(f"{text}\n")
    return tmp_path / "data.csv"


def stated(table: Path) -> Path:
    """The same with the axes of its landmarks."""
    points = table.with_name("a.csv")
    points.write_text("# space=RAS\n" + points.read_text())
    return table


def test_pairs_have_their_landmarks(table: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = Request(
        stated(table), out, per_case=1, levels=(40, 50), between=(40, 50),
        formats=("pairs", "nifti"),
    )  # fmt: skip
    (made,) = augment(make_plan(asked, model), model)
    assert made.state == "made" and not made.message
    names = ["fixed-points.csv", "fixed-surface.vtk", "moving-points.csv", "moving-surface.vtk"]
    home = out / "pairs" / "a-001"
    assert sorted(p.name for p in home.glob("*-points.csv")) == names[::2]
    for name in names:
        kind, dot, ending = name.partition(".")
        flat = out / kind / f"a-001{dot}{ending}"
        assert flat.read_bytes() == (home / name).read_bytes()
        assert f"{kind}/a-001.{ending}" in made.line["files"]
    field = sitk.ReadImage(str(home / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(field)
    for kind in ("points.csv", "surface.vtk"):
        fixed, moving = (read_points(home / f"{side}-{kind}") for side in ("fixed", "moving"))
        there = np.array([transform.TransformPoint(p) for p in fixed.positions.tolist()])
        spacing = nib.load(home / "fixed.nii.gz").header.get_zooms()
        assert (np.abs(there - moving.positions) / min(spacing)).max() < 0.01
    assert drdm(["replay", str(out / "manifest.jsonl"), "--sample", "a-001"]) == 0


def test_new_cases_have_theirs_and_a_changed_file_is_noticed(
    table: Path, model: Model, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    request = {"per_case": 1, "levels": (40, 50), "formats": ("cases", "nifti")}
    plan = make_plan(Request(stated(table), out, **request), model)
    assert [m.state for m in augment(plan, model)] == ["made"]
    own = out / "cases" / "a-001" / "points.csv"
    assert own.read_bytes() == (out / "points" / "a-001.csv").read_bytes()
    plan = make_plan(Request(table, out, resume=True, **request), model)
    assert [m.state for m in augment(plan, model)] == ["kept"]
    points = table.with_name("a.csv")
    points.write_text(points.read_text().replace(".", ".5", 1))
    assert [m.state for m in augment(plan, model)] == ["made"]


def test_columns_are_read_and_axes_needed(table: Path, model: Model, tmp_path: Path) -> None:
    (entry,) = read_dataset(table)
    assert (entry.points, entry.surface) == (table.with_name("a.csv"), table.with_name("a.vtk"))
    plan = make_plan(Request(table, tmp_path / "out", per_case=1, levels=(40, 50)), model)
    (made,) = augment(plan, model)
    assert made.state == "failed" and "does not state the axes" in str(made.message)
    table.write_text(table.read_text().replace("a.vtk,", ",RAS"))
    (entry,) = read_dataset(table)
    assert entry.coordinates == "RAS" and entry.surface is None
    table.write_text(table.read_text().replace("RAS", "IJK"))
    with pytest.raises(InputError, match=r"coordinates IJK are not known, .*line 2"):
        read_dataset(table)
