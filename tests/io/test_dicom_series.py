"""DICOM series as ITK reads them; several in a folder, holes and doubles are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.errors import InputError
from src_core.io import read_case
from tests.support.itk import grid, smooth, write_series


def test_a_dicom_series_is_read_as_itk_reads_it(tmp_path: Path) -> None:
    values = np.rint(10 * smooth()).astype(np.int16)
    write_series(tmp_path / "scan.12", values, grid())
    case = read_case(tmp_path / "scan.12")
    assert case.name == "scan.12"
    assert np.array_equal(case.image, values)
    assert case.grid.distance_mm(grid()) < 1e-3


def test_a_folder_of_several_series_is_refused(tmp_path: Path) -> None:
    values = np.rint(10 * smooth()).astype(np.int16)
    write_series(tmp_path / "b", values, grid())
    write_series(tmp_path / "c", values, grid(), "1.2.3.5")
    for i, file in enumerate(sorted((tmp_path / "c").iterdir())):
        file.rename(tmp_path / "b" / f"other{i}.dcm")
    with pytest.raises(InputError, match="2 DICOM series"):
        read_case(tmp_path / "b")


def test_a_series_with_a_hole_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "d", np.rint(10 * smooth()).astype(np.int16), grid())
    for file in (tmp_path / "d").iterdir():
        if sitk.ReadImage(str(file)).GetMetaData("0020|0013").strip() == "4":
            file.unlink()
    with pytest.raises(InputError, match=r"2\.5 to 5 mm apart"):
        read_case(tmp_path / "d")


def test_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    values = np.rint(10 * smooth()).astype(np.int16)
    write_series(tmp_path / "e", values, grid())
    image = sitk.ReadImage(str(tmp_path / "e" / "003.dcm"))
    image.SetMetaData("0008|0018", "1.2.3.4.99")
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(tmp_path / "e" / "twice.dcm"))
    writer.Execute(image)
    with pytest.raises(InputError, match="9 slices lie at 8 places"):
        read_case(tmp_path / "e")
