"""Where voxels lie: by closed form, and against ITK's reading of the same headers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.grid import Grid
from src_core.cases.header import grid_of, header_for, scaling_of, set_geometry
from src_core.errors import ArgumentError, InputError
from src_core.io import read_case

SHAPE = (5, 7, 3)
SPACING = (1.25, 0.75, 8.0)


def affine(angles: tuple[float, float, float], flip: int = 1) -> NDArray[np.float64]:
    result = np.eye(4)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    result[:3, :3] = turn * np.array(SPACING) * [flip, 1, 1]
    result[:3, 3] = -12.5, 40.25, 7.0
    return result


def as_itk(grid: Grid) -> tuple[NDArray[np.float64], ...]:
    """Spacing, direction and origin, LPS."""
    lps = np.diag([-1.0, -1, 1])
    return np.array(grid.spacing), lps @ grid.direction, lps @ grid.affine[:3, 3]


def from_itk(path: Path) -> tuple[NDArray[np.float64], ...]:
    image = sitk.ReadImage(str(path))
    direction = np.array(image.GetDirection()).reshape(3, 3)
    return np.array(image.GetSpacing()), direction, np.array(image.GetOrigin())


def plain() -> nib.Nifti1Header:
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.int16)
    header.set_xyzt_units("mm")
    header["pixdim"][1:4] = SPACING
    return header


def sform(code: int = 1, qform: int = 0, shift: float = 0.0, flip: int = 1) -> nib.Nifti1Header:
    header = plain()
    header.set_qform(affine((10, 20, 30), flip), qform)
    moved = affine((10, 20, 30), flip)
    moved[0, 3] += shift
    header.set_sform(moved, code)
    return header


def qform_only() -> nib.Nifti1Header:
    header = plain()
    header.set_qform(affine((10, -20, 130), -1), 1)
    return header


def sform_without_spacing() -> nib.Nifti1Header:
    header = plain()
    header.set_sform(np.diag([-1.0, -1, 1, 1]), 2)
    return header


def sheared_with_qform() -> nib.Nifti1Header:
    header = sform(qform=1)
    header["srow_x"][1] += 0.4
    return header


def no_zooms() -> nib.Nifti1Header:
    header = sform()
    header["pixdim"][1:4] = 0
    return header


def in_units(unit: str) -> nib.Nifti1Header:
    header = sform()
    header.set_xyzt_units(unit)
    return header


HEADERS: dict[str, Callable[[], nib.Nifti1Header]] = {
    "no codes": plain,
    "sform": sform,
    "sform flipped": lambda: sform(flip=-1),
    "sform scanner, other qform": lambda: sform(1, 1, 3.0),
    "sform aligned, other qform": lambda: sform(2, 1, 3.0),
    "sform mni, same qform": lambda: sform(4, 1),
    "qform only": qform_only,
    "sform without spacing": sform_without_spacing,
    "sheared sform, qform": sheared_with_qform,
    "no zooms": no_zooms,
    "micron": lambda: in_units("micron"),
    "meter": lambda: in_units("meter"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_geometry_is_as_itk_reads_it(name: str, tmp_path: Path) -> None:
    header = HEADERS[name]()
    path = tmp_path / "image.nii"
    header["vox_offset"] = 352
    voxels = np.arange(np.prod(SHAPE), dtype=np.int16)
    path.write_bytes(header.binaryblock + bytes(4) + voxels.tobytes())
    for ours, theirs in zip(as_itk(read_case(path).grid), from_itk(path), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_distributed_acdc_file_is_as_itk_reads_it(data_dir: Path) -> None:
    path = data_dir / "acdc" / "original" / "patient001_frame01.nii.gz"
    grid = read_case(path).grid
    assert grid.spacing == (1.5625, 1.5625, 10.0)
    for ours, theirs in zip(as_itk(grid), from_itk(path), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_spacing_direction_and_shear() -> None:
    grid = Grid(SHAPE, affine((10, 20, 30), -1))
    np.testing.assert_allclose(grid.spacing, SPACING)
    np.testing.assert_allclose(grid.direction.T @ grid.direction, np.eye(3), atol=1e-12)
    assert np.linalg.det(grid.direction) == pytest.approx(-1)
    assert not grid.sheared
    leaning = affine((0, 0, 0))
    leaning[0, 1] = 0.1
    assert Grid(SHAPE, leaning).sheared


@given(st.tuples(*[st.floats(-180, 180)] * 3), st.sampled_from([1, -1]))
def test_voxels_and_mm_are_the_same_vector(angles: tuple[float, float, float], flip: int) -> None:
    grid = Grid(SHAPE, affine(angles, flip))
    u = np.random.default_rng(0).normal(size=(2, 4, 3))
    mm = grid.to_lps_mm(u)
    np.testing.assert_allclose(grid.to_voxels(mm), u, atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(mm, axis=-1), np.linalg.norm(u * SPACING, axis=-1), rtol=1e-9
    )


def test_vectors_agree_with_itk() -> None:
    grid = Grid(SHAPE, affine((10, 20, 30), -1))
    image = sitk.Image(list(SHAPE), sitk.sitkFloat32)
    spacing, direction, origin = as_itk(grid)
    image.SetSpacing(spacing.tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin(origin.tolist())
    start, step = np.array([1.0, 2, 1]), np.array([0.5, -1.5, 0.25])
    ends = [
        image.TransformContinuousIndexToPhysicalPoint(p.tolist()) for p in (start + step, start)
    ]
    np.testing.assert_allclose(grid.to_lps_mm(step), np.subtract(*ends), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "spacing", "axis"),
    [
        ((9, 8, 7), (1.4, 1.4, 10), 2),
        ((9, 8, 7), (1.4, 10, 1.4), 1),
        ((9, 8, 7), (3, 1, 2), 0),
        ((9, 8, 7), (2.9, 1, 2), 2),
        ((9, 8, 7), (1, 1, 1), 2),
        ((9, 8, 1), (8, 1, 1), 2),
    ],
)
def test_slice_axis(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], axis: int
) -> None:
    assert Grid.from_spacing(shape, spacing).slice_axis == axis


def test_corner_distance() -> None:
    grid = Grid.from_spacing((11, 21, 3), (1, 1, 2))
    wider = Grid.from_spacing((11, 21, 3), (1, 1.1, 2))
    assert grid.distance_mm(wider) == pytest.approx(20 * 0.1)
    assert grid.distance_mm(grid) == 0


def test_from_spacing_is_lps_and_takes_one_two_or_three() -> None:
    np.testing.assert_array_equal(
        Grid.from_spacing((4, 5, 1), (0.5, 2)).affine, np.diag([-0.5, -2, 1, 1])
    )
    assert Grid.from_spacing((4, 5, 6), 3).spacing == (3, 3, 3)
    for wrong in (0, -1, np.nan, (1, 2, 3, 4)):
        with pytest.raises(ArgumentError, match="spacing"):
            Grid.from_spacing((4, 5, 6), wrong)


def test_grid_is_a_value() -> None:
    grid, same = Grid(SHAPE, affine((1, 2, 3))), Grid(SHAPE, affine((1, 2, 3)))
    assert grid == same and hash(grid) == hash(same)
    assert grid != Grid(SHAPE, affine((1, 2, 4)))
    assert pickle.loads(pickle.dumps(grid)) == grid
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 2


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [
        ((1, 2), np.eye(4)),
        ((0, 2, 3), np.eye(4)),
        (SHAPE, np.eye(3)),
        (SHAPE, np.diag([1, 0, 1, 1])),
    ],
)
def test_impossible_grids_are_refused(
    shape: tuple[int, int, int], matrix: NDArray[np.float64]
) -> None:
    with pytest.raises(ArgumentError, match=r"Grid\(\) '(shape|affine)' must be"):
        Grid(shape, matrix)


@pytest.mark.parametrize("unit", ["mm", "micron", "meter"])
def test_geometry_goes_into_a_header_and_back(unit: str) -> None:
    grid = Grid(SHAPE, affine((10, 20, 30), -1))
    header = header_for(grid, np.dtype(np.float32), SHAPE)
    header.set_xyzt_units(unit)
    set_geometry(header, grid)
    np.testing.assert_allclose(grid_of(header).affine, grid.affine, rtol=1e-6, atol=1e-5)
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)


def test_a_header_without_scaling_means_slope_one() -> None:
    header = plain()
    for slope, inter, expected in [
        (0, 5, (1, 0)),
        (np.nan, np.nan, (1, 0)),
        (0.5, -3, (0.5, -3)),
        (1, 0, (1, 0)),
    ]:
        header["scl_slope"], header["scl_inter"] = slope, inter
        assert scaling_of(header) == expected


def test_an_orientation_that_cannot_be_inverted_is_refused() -> None:
    header = plain()
    header.set_sform(np.eye(4), 1)
    header["srow_y"] = header["srow_x"]
    with pytest.raises(InputError, match="orientation cannot be inverted, scan"):
        grid_of(header, "scan")
