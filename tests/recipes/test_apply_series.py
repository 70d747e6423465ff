"""A field for each frame, on a cine and on a volume, and the inverse of a large field."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from src_core.cases import tiles
from src_core.cli import run as drdm
from src_core.errors import InputError
from src_core.generation import generate_series, save_series
from src_core.io import read_case, read_field, read_field_series
from src_core.recipes.apply import move_case
from tests.support import tiny

FRAMES = 4


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cine, its first frame and its labels as files, and what generate --motion makes of it."""
    home = tmp_path_factory.mktemp("series")
    values = np.random.default_rng(3).integers(0, 200, (44, 38, 3, FRAMES)).astype(np.int16)
    labels = np.zeros(values.shape, np.uint8)
    labels[12:30, 10:25] = 3
    for name, data in (("cine", values), ("seg", labels), ("one", values[..., 1]),
                       ("still", labels[..., 1])):  # fmt: skip
        nib.save(nib.Nifti1Image(data, tiny.OBLIQUE), home / f"{name}.nii.gz")
    case = read_case(home / "cine.nii.gz", home / "seg.nii.gz")
    save_series(generate_series(case, tiny.model(), "ramp", level=60, seed=4), home / "made")
    return home


def apply(home: Path, out: Path, image: str, labels: str, *more: str) -> int:
    field = str(home / "made" / "displacement.nii.gz")
    call = ["apply", field, str(home / image), "--labels", str(home / labels), "--out", str(out)]
    return drdm([*call, *more])


def test_a_cine_is_moved_frame_by_frame_as_it_was_made(series: Path, tmp_path: Path) -> None:
    assert apply(series, tmp_path / "o", "cine.nii.gz", "seg.nii.gz") == 0
    for name in ("image.nii.gz", "labels.nii.gz", "displacement.nii.gz"):
        made, moved = (nib.load(home / name) for home in (series / "made", tmp_path / "o"))
        assert np.array_equal(np.asanyarray(made.dataobj), np.asanyarray(moved.dataobj))
        assert np.array_equal(made.affine, moved.affine)
    reported = json.loads((tmp_path / "o" / "metrics.json").read_text())
    made_told = json.loads((series / "made" / "metrics.json").read_text())
    for name in ("frame_max_mm", "min_det", "max_mm", "label_volume_change"):
        assert reported[name] == pytest.approx(made_told[name])


def test_one_volume_becomes_the_frames_that_simpleitk_makes(series: Path, tmp_path: Path) -> None:
    assert apply(series, tmp_path / "o", "one.nii.gz", "still.nii.gz") == 0
    source = sitk.ReadImage(str(series / "one.nii.gz"), sitk.sitkFloat64)
    moved = sitk.ReadImage(str(tmp_path / "o" / "image.nii.gz"), sitk.sitkFloat64)
    path = str(tmp_path / "o" / "displacement.nii.gz")
    fields = sitk.ReadImage(path, sitk.sitkVectorFloat64)
    assert moved.GetSize() == (44, 38, 3, FRAMES)
    for t in range(FRAMES):
        transform = sitk.DisplacementFieldTransform(fields[..., t])
        theirs = sitk.Resample(source, source, transform, sitk.sitkLinear, 0.0)
        ours = sitk.GetArrayFromImage(moved[..., t])
        assert (np.abs(sitk.GetArrayFromImage(theirs) - ours) <= 0.501).mean() > 0.985
    labels = np.asanyarray(nib.load(tmp_path / "o" / "labels.nii.gz").dataobj)
    assert labels.shape == (44, 38, 3, FRAMES) and set(np.unique(labels)) == {0, 3}
    assert not np.array_equal(labels[..., 0], labels[..., -1])


def test_the_inverse_of_every_frame_leads_back(series: Path, tmp_path: Path) -> None:
    assert apply(series, tmp_path / "o", "cine.nii.gz", "seg.nii.gz", "--inverse") == 0
    there, grid = read_field_series(series / "made" / "displacement.nii.gz")
    back, _ = read_field_series(tmp_path / "o" / "displacement.nii.gz")
    case = read_case(series / "one.nii.gz")
    for t in range(FRAMES):
        one = move_case(case, there[:, :, :, t], grid, inverse=True)
        assert np.array_equal(one.displacement, back[:, :, :, t])
    assert np.abs(back[:, :, :, -1]).max() > 1 and not back[:, :, :, 0].any()


def test_other_numbers_of_frames_are_one_clear_line(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    five = np.zeros((44, 38, 3, 5), np.int16)
    five[3:9] = 7
    nib.save(nib.Nifti1Image(five, tiny.OBLIQUE), tmp_path / "five.nii.gz")
    out = tmp_path / "o"
    field = str(series / "made" / "displacement.nii.gz")
    assert drdm(["apply", field, str(tmp_path / "five.nii.gz"), "--out", str(out)]) == 2
    printed = capsys.readouterr().err
    assert "4 frames" in printed and "the image 5" in printed and printed.count("\n") <= 2
    assert not out.exists()


def test_a_reader_of_one_field_says_that_there_are_more(series: Path) -> None:
    with pytest.raises(InputError, match="a field for each of 4 frames"):
        read_field(series / "made" / "displacement.nii.gz")


@pytest.mark.parametrize("flat", [False, True], ids=["volume", "stack"])
def test_an_inverse_is_applied_in_parts(flat: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    case = tiny.case((26, 24, 15))
    u: NDArray[np.float64] = np.zeros((*case.grid.shape, 3))
    x, y, z = np.indices(case.grid.shape)
    u[..., 0], u[..., 1] = 1.5 * np.sin(y / 4 + z / 5), 1.2 * np.cos(x / 5)
    u[..., 2] = 0 if flat else 0.8 * np.sin(x / 6)
    field = case.grid.to_lps_mm(u).astype(np.float32)
    whole = move_case(case, field, case.grid, inverse=True)
    monkeypatch.setattr(tiles, "LARGE", 100)
    monkeypatch.setattr(tiles, "PART", 500)
    cut = move_case(case, field, case.grid, inverse=True)
    assert np.abs(cut.displacement - whole.displacement).max() <= 2e-6
    assert (cut.case.image != whole.case.image).mean() < 1e-3
    assert np.abs(whole.displacement).max() > 1
