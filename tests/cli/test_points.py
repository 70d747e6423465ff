"""Landmarks and surfaces through generate, replay and apply: what moves, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.cli import run
from src_core.io import read_field
from src_core.io.points import read_points, write_points
from tests.support.surfaces import ellipsoid


@pytest.fixture
def landmarks(image: Path, tmp_path: Path) -> Path:
    grid = sitk.ReadImage(str(image))
    size = np.array(grid.GetSize())
    spots = [[0.4, 0.5, 0.5], [0.6, 0.55, 0.4], [0.5, 0.3, 0.6], [0.45, 0.62, 0.5]]
    places = [
        grid.TransformContinuousIndexToPhysicalPoint((s * (size - 1)).tolist()) for s in spots
    ]
    lines = [f"p{i},{-x},{-y},{z}" for i, (x, y, z) in enumerate(places)]
    path = tmp_path / "marks.csv"
    path.write_text("\n".join(["# space=RAS", "name,x,y,z", *lines]) + "\n")
    return path


@pytest.fixture
def surface(image: Path, tmp_path: Path) -> Path:
    grid = sitk.ReadImage(str(image))
    size = (np.array(grid.GetSize()) - 1) / 2
    middle = np.array(grid.TransformContinuousIndexToPhysicalPoint(size.tolist()))
    path = tmp_path / "heart.vtk"
    path.write_bytes(ellipsoid(middle, 0.4 * size * grid.GetSpacing()))
    return path


def test_points_and_surfaces_follow_what_is_saved(
    image: Path, landmarks: Path, surface: Path, tmp_path: Path
) -> None:
    new, again = tmp_path / "new", tmp_path / "again"
    words = ["--points", str(landmarks), "--surface", str(surface)]
    assert run(["generate", str(image), *words, "--level", "60", "--out", str(new)]) == 0
    transform = sitk.DisplacementFieldTransform(
        sitk.ReadImage(str(new / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    )
    metrics = json.loads((new / "metrics.json").read_text())["points"]
    spacing = np.array(sitk.ReadImage(str(image)).GetSpacing())
    for name, source in (("points.csv", landmarks), ("surface.vtk", surface)):
        before, after = read_points(source), read_points(new / name)
        there = np.array([transform.TransformPoint(p) for p in after.positions.tolist()])
        assert (np.abs(there - before.positions) / spacing).max() < 0.01
        assert metrics[name]["count"] == len(before.positions) and metrics[name]["outside"] == 0
        moved = np.linalg.norm(after.positions - before.positions, axis=1)
        assert moved.max() > 1 and abs(metrics[name]["max_mm"] - moved.max()) < 1e-3
    assert "p2," in (new / "points.csv").read_text() and after.axes == "LPS"
    recipe = str(new / "recipe.json")
    assert run(["replay", recipe, "--out", str(again)]) == 0
    for name in ("points.csv", "surface.vtk"):
        assert (again / name).read_bytes() == (new / name).read_bytes()
    landmarks = landmarks.rename(tmp_path / "elsewhere.csv")
    assert run(["replay", recipe]) == 2
    assert run(["replay", recipe, *["--points", str(landmarks), "--surface", str(surface)]]) == 0
    points = read_points(landmarks)
    write_points(landmarks, points.moved(points.positions + 0.5))
    assert run(["replay", recipe, *["--points", str(landmarks), "--surface", str(surface)]]) == 2


def test_apply_moves_points_alone_and_back(
    image: Path, landmarks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, there, back = (tmp_path / n for n in ("new", "there", "back"))
    given = ["--points", str(landmarks)]
    assert run(["generate", str(image), *given, "--level", "50", "--out", str(new)]) == 0
    field = str(new / "displacement.nii.gz")
    assert run(["apply", field, "--out", str(there), *given, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed == json.loads((there / "metrics.json").read_text())
    assert (there / "points.csv").read_bytes() == (new / "points.csv").read_bytes()
    assert sorted(p.name for p in there.iterdir()) == ["metrics.json", "points.csv"]
    moved = ["--points", str(there / "points.csv"), "--inverse"]
    assert run(["apply", field, str(image), "--out", str(back), *moved]) == 0
    one, two = (read_points(p).positions for p in (back / "points.csv", landmarks))
    assert np.abs(one - two).max() < 1e-5
    assert (back / "image.nii.gz").exists()


def test_points_of_a_pose_are_those_of_the_saved_map(
    image: Path, landmarks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["--level", "40", "--pose", "nnunet", "--seed", "3", "--out", str(out)]
    assert run(["generate", str(image), "--points", str(landmarks), *words]) == 0
    field = sitk.ReadImage(str(out / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(field)
    before, after = read_points(landmarks).positions, read_points(out / "points.csv").positions
    there = np.array([transform.TransformPoint(p) for p in after.tolist()])
    grid = read_field(out / "displacement.nii.gz")[1]
    across = np.linalg.inv(grid.affine)
    voxels = after * [-1, -1, 1] @ across[:3, :3].T + across[:3, 3]
    kept = ((voxels >= 0) & (voxels <= np.array(grid.shape) - 1)).all(axis=1)
    assert kept.any() and np.abs(there - before)[kept].max() < 1e-3


def test_frames_have_points_each(image: Path, landmarks: Path, tmp_path: Path) -> None:
    out, applied = tmp_path / "out", tmp_path / "applied"
    words = ["--motion", "loop", "--frames", "3", "--level", "40", "--points", str(landmarks)]
    assert run(["generate", str(image), *words, "--out", str(out)]) == 0
    names = [f"points-{t:03d}.csv" for t in range(3)]
    assert sorted(p.name for p in out.glob("points*")) == names
    still, moved = (read_points(out / name).positions for name in names[:2])
    assert np.abs(still - read_points(landmarks).positions).max() < 1e-6
    assert np.abs(moved - still).max() > 0.5
    assert run(["replay", str(out / "recipe.json")]) == 0
    field = str(out / "displacement.nii.gz")
    given = [*["--points", str(landmarks)], "--out", str(applied)]
    assert run(["apply", field, str(image), *given]) == 0
    for name in names:
        assert (applied / name).read_bytes() == (out / name).read_bytes()


def test_points_outside_are_counted_and_reported(
    image: Path, landmarks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = read_points(landmarks)
    far = points.positions.copy()
    far[0] += [900, 0, 0]
    write_points(tmp_path / "far.csv", points.moved(far))
    given = ["--points", str(tmp_path / "far.csv"), "--level", "40"]
    assert run(["generate", str(image), *given, "--out", str(tmp_path / "out")]) == 0
    assert "warning: 1 of 4 points of points.csv lie outside the field" in capsys.readouterr().err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["points"]["points.csv"]["outside"] == 1


@pytest.mark.parametrize(
    ("text", "words", "error"),
    [
        ("x,y,z\n1,2,3\n", [], "does not state the axes of its coordinates"),
        ("# space=RAS\nx,y,z\n1,2,3\n", ["--coordinates", "LPS"], "--coordinates"),
        ("# space=RAS\nx,y\n1,2\n", [], "no columns x, y and z"),
    ],
)
def test_wrong_points_leave_nothing_behind(
    text: str,
    words: list[str],
    error: str,
    image: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "p.csv").write_text(text)
    out = tmp_path / "out"
    given = ["--points", str(tmp_path / "p.csv"), *words]
    assert run(["generate", str(image), *given, "--out", str(out)]) == 2
    assert error in capsys.readouterr().err and not out.exists()
    assert run(["apply", str(tmp_path / "no.nii.gz"), "--out", str(out)]) == 2
    assert "nothing to move" in capsys.readouterr().err
