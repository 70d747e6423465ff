"""Room on the disk is estimated from headers, whatever the format of the sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.augment.disk import estimate
from src_core.datasets.entry import Entry
from tests.support.dicom import write_slices

STORED = np.random.default_rng(1).integers(0, 900, (9, 7, 5), dtype=np.uint16)
VOXELS = 9 * 7 * 5


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha", "mhd"])
@pytest.mark.parametrize("dtype, size", [("u2", 2), ("f8", 8)])
def test_a_file_of_itk_s_needs_the_room_of_its_voxels(
    tmp_path: Path, ending: str, dtype: str, size: int
) -> None:
    path = tmp_path / f"a.{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(STORED.T.astype(dtype)), str(path), True)
    assert estimate([Entry(path)], ["image"]) == VOXELS * size
    assert estimate([Entry(path, path)], ["labels", "displacement"]) == VOXELS * (size + 12)


def test_a_dicom_series_needs_room_for_floats(tmp_path: Path) -> None:
    places = [(0, 0, 5 * z) for z in range(5)]
    folder = write_slices(tmp_path / "s", STORED, places)
    assert estimate([Entry(folder)], ["image"]) == VOXELS * 4


def test_a_damaged_header_needs_no_room(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_text("no")
    assert estimate([Entry(tmp_path / "a.nrrd")], ["image"]) == 0
