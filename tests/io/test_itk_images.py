"""Images of ITK's formats as SimpleITK holds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.io import read_case, write_image
from tests.support.itk import SHAPE, grid, itk_image, smooth, write_series


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
@pytest.mark.parametrize("ending", ["mha", "mhd", "nrrd", "nhdr"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_an_image_of_itk_is_read_where_itk_has_it(
    ending: str, flip: float, dtype: Any, tmp_path: Path
) -> None:
    values, path = smooth().astype(dtype), tmp_path / f"größe a.{ending}"
    sitk.WriteImage(itk_image(values, grid(flip)), str(path))
    case = read_case(path)
    assert case.name == "größe a"
    assert np.array_equal(case.image, values) and case.image.dtype == dtype
    assert case.grid.distance_mm(grid(flip)) < 1e-4
    write_image(tmp_path / "again.nii.gz", case.image, case.images[0], case.grid)
    again = sitk.ReadImage(str(tmp_path / "again.nii.gz"))
    for point in ((0, 0, 0), (13, 10, 7), (3, 9, 1)):
        there = itk_image(values, grid(flip)).TransformIndexToPhysicalPoint(point)
        assert np.allclose(again.TransformIndexToPhysicalPoint(point), there, atol=1e-4)
        assert again[point] == values[point]


def test_labels_and_image_may_be_of_two_formats(tmp_path: Path) -> None:
    labels = (smooth() > 60).astype(np.uint8)
    sitk.WriteImage(itk_image(smooth(), grid()), str(tmp_path / "a.nrrd"))
    sitk.WriteImage(itk_image(labels, grid()), str(tmp_path / "a.nii.gz"))
    case = read_case(tmp_path / "a.nrrd", tmp_path / "a.nii.gz")
    assert case.label_map is not None and np.array_equal(case.label_map, labels)


def test_a_series_in_time_keeps_its_frames(tmp_path: Path) -> None:
    frames = [itk_image(smooth() + t, grid()) for t in range(3)]
    sitk.WriteImage(sitk.JoinSeries(frames), str(tmp_path / "cine.nrrd"))
    case = read_case(tmp_path / "cine.nrrd")
    assert case.image.shape == (*SHAPE, 3) and np.array_equal(case.image[..., 2], smooth() + 2)
    assert case.grid.distance_mm(grid()) < 1e-4


def test_a_flat_image_has_one_slice(tmp_path: Path) -> None:
    flat = sitk.GetImageFromArray(smooth()[:, :, 0].T.copy())
    flat.SetSpacing((0.7, 1.9))
    sitk.WriteImage(flat, str(tmp_path / "flat.mha"))
    case = read_case(tmp_path / "flat.mha")
    assert case.image.shape == (14, 11, 1) and case.grid.spacing[:2] == pytest.approx((0.7, 1.9))
    assert np.array_equal(case.image[..., 0], smooth()[:, :, 0])


def vectors(path: Path) -> Path:
    sitk.WriteImage(sitk.Image([8, 7, 6], sitk.sitkVectorFloat32, 3), str(path))
    return path


def damaged(path: Path) -> Path:
    sitk.WriteImage(itk_image(smooth(), grid()), str(path))
    path.write_bytes(path.read_bytes()[:700])
    return path


def complex_numbers(path: Path) -> Path:
    sitk.WriteImage(sitk.Image([8, 7, 6], sitk.sitkComplexFloat32), str(path))
    return path


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (vectors, "a.mha", "displacements in LPS mm"),
        (vectors, "a.nrrd", "displacements in LPS mm"),
        (damaged, "a.nrrd", "cannot read"),
        (damaged, "a.mha", "cannot read"),
        (complex_numbers, "a.mha", "2 values per voxel"),
        (lambda path: path, "absent.mha", "no such file"),
        (lambda path: path.mkdir() or path, "empty", "without DICOM"),
        (lambda path: path.write_text("no") and path, "a.dcm", "cannot read"),
    ],
)
def test_a_bad_file_is_one_clear_line(make: Any, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_case(make(tmp_path / name))
    assert "\n" not in str(caught.value) and name in str(caught.value)


def test_without_simpleitk_a_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitk.WriteImage(itk_image(smooth(), grid()), str(tmp_path / "a.mha"))
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(InputError, match=r"pip install napari-drdm\[itk\]"):
        read_case(tmp_path / "a.mha")


def test_a_data_set_may_hold_any_of_them(tmp_path: Path) -> None:
    home = tmp_path / "set"
    for kind in ("images", "labels"):
        (home / kind).mkdir(parents=True)
    sitk.WriteImage(itk_image(smooth(), grid()), str(home / "images" / "a.nrrd"))
    sitk.WriteImage(
        itk_image((smooth() > 60).astype(np.uint8), grid()), str(home / "labels" / "a.nrrd")
    )
    write_series(home / "scan", np.rint(10 * smooth()).astype(np.int16), grid())
    (entry,) = read_dataset(home)
    assert entry.name == "a" and entry.labels == home / "labels" / "a.nrrd"
    (home / "set.csv").write_text("image\nscan\nimages/a.nrrd\n")
    scan, _ = read_dataset(home / "set.csv")
    assert scan.name == "scan" and read_case(scan.images).image.shape == SHAPE
