"""Fields of other programs in ``drdm apply``: which way they lead, and what they fold or lose."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import affine_transform

from src_core.cases.grid import Grid
from src_core.cli import run
from src_core.io import write_field
from src_core.recipes.pulled_back import pulled_back
from tests.support.foreign_fields import save_nifti

SHAPE = (30, 26, 9)
AFFINE = np.array([[1.4, -0.3, 0, -20], [0.3, 1.4, 0, 14], [0, 0, 5, -31], [0, 0, 0, 1.0]])
GRID = Grid(SHAPE, AFFINE)
#: Where the content of the source goes, RAS mm: a turn about an axis of no symmetry, and a shift.
TURN = np.array([[0.98, 0.1, 0.01], [-0.12, 1.03, 0.0], [0.0, 0.02, 1.04]])
SHIFT = np.array([4.0, -1.5, 2.0])


def places() -> np.ndarray:
    return nib.affines.apply_affine(AFFINE, np.moveaxis(np.indices(SHAPE), 0, -1))


def scan(folder: Path) -> np.ndarray:
    i, j, k = np.indices(SHAPE)
    image = (90 + 40 * np.sin(i / 3) + 30 * np.cos(j / 2.5) + 6 * k).astype(np.float32)
    save_nifti(folder / "scan.nii.gz", image, GRID)
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:20, 8:17, 2:7] = 3
    labels[24:28, 20:24, 3:5] = 7
    nib.save(nib.Nifti1Image(labels, AFFINE), folder / "seg.nii.gz")
    return image


def modeling(path: Path) -> Path:
    """The forward map as 3D Slicer writes it, by SimpleITK."""
    x = places()
    u = (x @ TURN.T + SHIFT - x) * [-1, -1, 1]
    field = sitk.GetImageFromArray(u.transpose(2, 1, 0, 3), isVector=True)
    field.CopyInformation(sitk.ReadImage(str(path.parent / "scan.nii.gz")))
    field.SetMetaData("displacement field type", "modeling")
    sitk.WriteImage(field, str(path))
    return path


def by_scipy(image: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The image at ``turn @ x + shift`` for each place x, RAS mm; NaN outside."""
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = turn, shift
    whole = np.linalg.inv(AFFINE) @ world @ AFFINE
    return affine_transform(image.astype(float), whole[:3, :3], whole[:3, 3], order=1, cval=np.nan)


@pytest.mark.parametrize("inverse", [False, True])
def test_a_modeling_field_moves_by_its_inverse(
    inverse: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, out = scan(tmp_path), tmp_path / "out"
    field = modeling(tmp_path / "modeling.nrrd")
    words = ["--inverse"] if inverse else []
    assert run(["apply", str(field), str(tmp_path / "scan.nii.gz"), "--out", str(out), *words]) == 0
    back = np.linalg.inv(TURN)
    expected = by_scipy(image, TURN, SHIFT) if inverse else by_scipy(image, back, -back @ SHIFT)
    inner = (slice(5, -5), slice(5, -5), slice(2, -2))
    known = np.isfinite(expected[inner])
    ours = nib.load(out / "image.nii.gz").get_fdata()[inner]
    assert known.mean() > 0.6 and np.abs(ours - image[inner]).max() > 20
    np.testing.assert_allclose(ours[known], expected[inner][known], atol=0.05)
    reported = json.loads((out / "metrics.json").read_text())
    assert reported["field_kind"] == "modeling" and reported["inverse"] is not inverse
    assert "from the source to the new image; its inverse moves" in capsys.readouterr().err


def test_a_modeling_field_that_is_opened_is_inverted(tmp_path: Path) -> None:
    scan(tmp_path)
    u, grid = pulled_back(modeling(tmp_path / "modeling.nrrd"))
    back = np.linalg.inv(TURN)
    x = places()
    expected = (x @ back.T - back @ SHIFT - x) * [-1, -1, 1]
    assert grid.distance_mm(GRID) < 1e-3
    inner = (slice(8, -8), slice(8, -8), slice(2, -2))
    np.testing.assert_allclose(u[inner], expected[inner], atol=0.01)


def test_an_identity_of_spm_moves_nothing(tmp_path: Path) -> None:
    image, out = scan(tmp_path), tmp_path / "out"
    values = places()[:, :, :, None]
    field = save_nifti(tmp_path / "y_scan.nii", values, GRID, 1007, intent_name=b"Mapping")
    assert run(["apply", str(field), str(tmp_path / "scan.nii.gz"), "--out", str(out)]) == 0
    reported = json.loads((out / "metrics.json").read_text())
    assert reported["max_mm"] < 1e-4 and reported["field_kind"] == "ras-positions"
    np.testing.assert_allclose(nib.load(out / "image.nii.gz").get_fdata(), image, atol=1e-2)


@pytest.mark.parametrize("stated", [True, False])
def test_voxels_are_stated_by_an_option(
    stated: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, out = scan(tmp_path), tmp_path / "out"
    values = np.broadcast_to([3.0, -2.0, 1.0], (*SHAPE, 3))
    field = save_nifti(tmp_path / "disp_0001.nii.gz", values, GRID)
    words = ["--field-kind", "voxels"] if stated else []
    code = run(["apply", str(field), str(tmp_path / "scan.nii.gz"), "--out", str(out), *words])
    told = capsys.readouterr().err
    if not stated:
        assert code == 2 and "--field-kind of drdm apply" in told and not out.exists()
        return
    moved = nib.load(out / "image.nii.gz").get_fdata()
    np.testing.assert_allclose(moved[:-3, 2:, :-1], image[3:, :-2, 1:], atol=1e-3)


def test_folds_and_lost_labels_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field read in a wrong unit folds; one that leads away loses the smaller label."""
    scan(tmp_path)
    i = np.indices(SHAPE)[0]
    u = np.zeros((*SHAPE, 3), np.float32)
    u[..., 0], u[..., 1] = 9 * np.sin(i / 1.5), -12
    write_field(tmp_path / "wrong.nii.gz", u, GRID)
    seg = str(tmp_path / "seg.nii.gz")
    call = ["apply", str(tmp_path / "wrong.nii.gz"), str(tmp_path / "scan.nii.gz")]
    assert run([*call, "--labels", seg, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err
    assert "WARNING: the field folds" in told and "see --field-kind" in told
    reported = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert reported["folding_permille"] > 50 and len(reported["warnings"]) >= 1
    u[..., 0], u[..., 1] = 18, 0
    write_field(tmp_path / "away.nii.gz", u, GRID)
    call[1] = str(tmp_path / "away.nii.gz")
    assert run([*call, "--labels", seg, "--out", str(tmp_path / "away"), "--json"]) == 0
    said = capsys.readouterr()
    assert "WARNING: the field leaves nothing of label 7" in said.err
    assert json.loads(said.out)["warnings"] == [
        "the field leaves nothing of label 7: it may not be the image's"
    ]
    u[..., 0] = 1
    write_field(tmp_path / "small.nii.gz", u, GRID)
    call[1] = str(tmp_path / "small.nii.gz")
    assert run([*call, "--labels", seg, "--out", str(tmp_path / "small"), "--json"]) == 0
    said = capsys.readouterr()
    assert "WARNING" not in said.err and json.loads(said.out)["warnings"] == []
