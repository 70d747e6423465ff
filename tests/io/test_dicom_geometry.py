"""DICOM series: each voxel lies where its slice's header puts it, with its slice's value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from src_core.errors import GeometryWarning, InputError
from src_core.io import read_case
from tests.support.dicom import write_slices

SHAPE = (8, 6, 5)
STORED = np.random.default_rng(2).integers(0, 2000, SHAPE, dtype=np.uint16)
UP = np.array([(-20.0, -18.0, -40.0 + 5 * z) for z in range(SHAPE[2])])
Axes = tuple[float, ...]
TILT = np.deg2rad(20)
TILTED = (1, 0, 0, 0, float(np.cos(TILT)), float(np.sin(TILT)))


def place_of(voxel: tuple[int, int, int], places: np.ndarray, axes: Axes) -> np.ndarray:
    """LPS mm, as DICOM PS3.3 C.7.6.2.1.1 has it."""
    i, j, k = voxel
    return places[k] + 1.2 * i * np.array(axes[:3]) + 1.4 * j * np.array(axes[3:])


def check(case: object, values: np.ndarray, places: np.ndarray, axes: Axes) -> None:
    assert np.allclose(case.image, values, rtol=1e-6)
    for voxel in np.ndindex(SHAPE):
        there = (case.grid.affine @ [*voxel, 1])[:3] * [-1, -1, 1]
        assert there == pytest.approx(place_of(voxel, places, axes), abs=1e-4)


def test_a_straight_series_whatever_the_files_names(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "s", STORED, UP)
    check(read_case(folder), STORED, UP, (1, 0, 0, 0, 1, 0))


def test_a_series_from_above_to_below_is_ordered_along_its_normal(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "s", STORED, UP[::-1], SpacingBetweenSlices="-5")
    check(read_case(folder), STORED[:, :, ::-1], UP, (1, 0, 0, 0, 1, 0))


@pytest.mark.parametrize(
    "places, axes", [(UP, TILTED), (UP + [[0.15 * z, 0, 0] for z in range(5)], (1, 0, 0, 0, 1, 0))]
)
def test_tilt_and_drift_give_a_sheared_grid(tmp_path: Path, places: np.ndarray, axes: Axes) -> None:
    folder = write_slices(tmp_path / "s", STORED, places, axes)
    with pytest.warns(GeometryWarning, match="the affine is sheared"):
        case = read_case(folder)
    check(case, STORED, places, axes)


def test_rounded_positions_are_a_straight_grid(tmp_path: Path) -> None:
    places = UP + [[0.004 * z, 0, 0] for z in range(SHAPE[2])]
    case = read_case(write_slices(tmp_path / "s", STORED, places))
    assert not case.grid.sheared
    assert case.grid.affine[:3, 2] == pytest.approx((0, 0, 5), abs=1e-6)


def test_a_shift_of_one_slice_is_refused(tmp_path: Path) -> None:
    places = UP.copy()
    places[2, 0] += 0.5
    with pytest.raises(InputError, match=r"shifted sideways by up to 0\.5 mm"):
        read_case(write_slices(tmp_path / "s", STORED, places))


@pytest.mark.parametrize(
    "meanings",
    [
        [(1, 0), (0.5, 0), (0.37, 0), (2.2, 0), (0.9, 0)],
        [(1, 0), (2, 0), (40, 0), (60, 0), (80, 0)],
        [(1, 0), *[(1, -1000)] * 4],
        [(1, 0), *[(0.9999999975, 0)] * 4],
    ],
)
def test_each_slice_has_its_own_slope_and_intercept(
    tmp_path: Path, meanings: list[tuple[float, float]]
) -> None:
    case = read_case(write_slices(tmp_path / "s", STORED, UP, meanings=meanings))
    slope, intercept = np.array(meanings).T
    check(case, STORED * slope + intercept, UP, (1, 0, 0, 0, 1, 0))


def test_one_meaning_for_all_keeps_the_type_that_itk_gives(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "s", STORED, UP, meanings=[(1, -1024)] * 5)
    case = read_case(folder)
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    assert case.image.dtype == sitk.GetArrayFromImage(sitk.ReadImage(files)).dtype
    assert np.array_equal(case.image, STORED.astype(int) - 1024)


def test_slices_without_a_position_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="5 slices have no position"):
        read_case(write_slices(tmp_path / "s", STORED, None))


def test_one_slice_without_a_position_is_a_picture(tmp_path: Path) -> None:
    case = read_case(write_slices(tmp_path / "s", STORED[:, :, :1], None))
    assert np.array_equal(case.image, STORED[:, :, :1])
    assert case.grid.spacing == pytest.approx((1.2, 1.4, 1))


def test_slices_of_several_directions_are_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "s", STORED, UP)
    other = write_slices(tmp_path / "o", STORED[:, :, :1], UP[:1] + 30, (0, 1, 0, 0, 0, -1))
    (other / "000.dcm").rename(folder / "localizer.dcm")
    with pytest.raises(InputError, match="several directions"):
        read_case(folder)


def test_colours_are_no_image(tmp_path: Path) -> None:
    folder = write_slices(
        tmp_path / "s", STORED[:, :, :1], UP[:1], PhotometricInterpretation="PALETTE COLOR"
    )
    with pytest.raises(InputError, match="a colour picture"):
        read_case(folder)
