"""Displacement fields in files: against ITK, FSL's definition and SciPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.header import grid_of, header_for
from src_core.errors import ArgumentError
from src_core.io import read_field, write_field, write_image, write_scalar

SHAPE = (12, 9, 7)


def oblique() -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (12, -25, 40), degrees=True).as_matrix() * [
        1.3,
        0.9,
        2.5,
    ]
    affine[:3, 3] = 31, -17, 5.5
    return affine


def permuted() -> NDArray[np.float64]:
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = 1.2, -0.8, 3.0, 1
    affine[:3, 3] = -4, 9, 100
    return affine


GRIDS = {
    "oblique": Grid(SHAPE, oblique()),
    "oblique, flipped": Grid(SHAPE, oblique() @ np.diag([-1, 1, 1, 1])),
    "axes swapped": Grid(SHAPE, permuted()),
    "axes swapped, flipped": Grid(SHAPE, permuted() @ np.diag([1, 1, -1, 1])),
    "anisotropic": Grid.from_spacing(SHAPE, (0.7, 1.9, 6.0)),
}
every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)


def save(path: Path, data: NDArray[Any], header: nib.Nifti1Header) -> None:
    """A NIfTI file made without the code under test."""
    header.set_data_shape(data.shape)
    header.set_data_dtype(data.dtype)
    header["vox_offset"] = 352
    voxels = data.astype(header.get_data_dtype()).tobytes(order="F")
    path.write_bytes(header.binaryblock + bytes(4) + voxels)


def some(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, 120, shape).astype(dtype)


def wave(grid: Grid) -> NDArray[np.float64]:
    """A smooth field, voxels, (X, Y, Z, 3), up to 1.5 voxels, different along every axis."""
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in grid.shape], indexing="ij")
    return np.stack([1.5 * np.sin(3 * y + z), np.cos(4 * x) - z, 0.8 * np.sin(2 * x + 3 * y)], -1)


def pulled_back(image: NDArray[Any], u: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """SciPy's I(x + u(x)), and where x + u(x) lies between voxel centres."""
    at = np.moveaxis(u, -1, 0) + np.indices(image.shape)
    last = np.array(image.shape).reshape(3, 1, 1, 1) - 1
    inside = ((at > 0.01) & (at < last - 0.01)).all(axis=0)
    return map_coordinates(image, at, order=1, mode="nearest"), inside


@every_grid
def test_itk_applies_the_field_as_it_is(grid: Grid, tmp_path: Path) -> None:
    x, y, z = np.indices(grid.shape)
    image = (np.sin(x / 2) + np.cos(y / 3) * 2 + z * x / 20).astype(np.float32)
    u = wave(grid)
    write_field(tmp_path / "u.nii.gz", grid.to_lps_mm(u), grid)
    write_image(
        tmp_path / "i.nii", image, Case.from_arrays(image, affine=grid.affine).images[0], grid
    )
    field = sitk.ReadImage(str(tmp_path / "u.nii.gz"), sitk.sitkVectorFloat64)
    assert field.GetDimension() == 3 and field.GetNumberOfComponentsPerPixel() == 3
    moving = sitk.ReadImage(str(tmp_path / "i.nii"))
    warped = sitk.Resample(moving, moving, sitk.DisplacementFieldTransform(field))
    expected, inside = pulled_back(image, u)
    theirs = sitk.GetArrayFromImage(warped).transpose(2, 1, 0)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(theirs[inside], expected[inside], atol=1e-3 * np.ptp(image))


def test_a_picture_s_field_is_right_for_itk_in_2d(tmp_path: Path) -> None:
    grid = Grid.from_spacing((14, 9, 1), (0.5, 2))
    x, y, _ = np.indices(grid.shape)
    image = (np.sin(x / 2) + np.cos(y / 3) * 2).astype(np.float32)
    u = wave(grid) * [1, 1, 0]
    write_field(tmp_path / "u.nii", grid.to_lps_mm(u), grid)
    field = sitk.ReadImage(str(tmp_path / "u.nii"), sitk.sitkVectorFloat64)
    assert field.GetDimension() == 2 and field.GetNumberOfComponentsPerPixel() == 3
    plane = sitk.Compose([sitk.VectorIndexSelectionCast(field, axis) for axis in (0, 1)])
    moving = sitk.GetImageFromArray(image[..., 0].T)
    moving.SetSpacing((0.5, 2))
    warped = sitk.Resample(moving, moving, sitk.DisplacementFieldTransform(plane))
    flat = np.concatenate([u[..., :2], np.zeros((*grid.shape, 1))], -1)
    expected, _ = pulled_back(image, flat)
    at = np.moveaxis(u, -1, 0)[:2, ..., 0] + np.indices((14, 9))
    inside = ((at > 0.01) & (at < np.array([13, 8]).reshape(2, 1, 1) - 0.01)).all(axis=0)
    theirs = sitk.GetArrayFromImage(warped).T
    np.testing.assert_allclose(theirs[inside], expected[..., 0][inside], atol=1e-3)


@every_grid
@pytest.mark.parametrize("format", ["itk", "fsl"])
def test_a_field_goes_round(grid: Grid, format: Any, tmp_path: Path) -> None:
    u = grid.to_lps_mm(wave(grid)).astype(np.float32)
    write_field(tmp_path / "u.nii.gz", u, grid, format=format)
    for given in (None, format):
        again, its_grid = read_field(tmp_path / "u.nii.gz", format=given)
        assert again.dtype == np.float32
        np.testing.assert_allclose(again, u, atol=1e-5)
        np.testing.assert_allclose(its_grid.affine, grid.affine, atol=1e-4)


@every_grid
def test_fsl_warps_follow_fsl_s_coordinates(grid: Grid, tmp_path: Path) -> None:
    """FSL mm: voxel index times spacing, x counted from the other end if det(affine) > 0."""

    def fsl_mm(voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        mm = voxels * grid.spacing
        if np.linalg.det(grid.affine) > 0:
            mm[..., 0] = (grid.shape[0] - 1) * grid.spacing[0] - mm[..., 0]
        return mm

    here = np.moveaxis(np.indices(grid.shape, dtype=float), 0, -1)
    warp = fsl_mm(here + wave(grid)) - fsl_mm(here)
    write_field(tmp_path / "ours.nii", grid.to_lps_mm(wave(grid)), grid, format="fsl")
    written = nib.load(tmp_path / "ours.nii")
    np.testing.assert_allclose(written.get_fdata(), warp, atol=1e-5)
    assert int(written.header["intent_code"]) == 2006
    theirs = nib.Nifti1Image(warp.astype(np.float32), grid.affine)
    nib.save(theirs, tmp_path / "theirs.nii")
    read, _ = read_field(tmp_path / "theirs.nii", format="fsl")
    np.testing.assert_allclose(grid.to_voxels(read), wave(grid), atol=1e-5)


def foreign(path: Path, u: NDArray[Any], grid: Grid, intent: int) -> Path:
    header = header_for(grid, np.dtype("<f4"), u.shape)
    header["intent_code"] = intent
    save(path, u.astype(np.float32), header)
    return path


def test_fields_of_other_tools_are_read(tmp_path: Path) -> None:
    grid = GRIDS["oblique, flipped"]
    u = grid.to_lps_mm(wave(grid)).astype(np.float32)
    ras = u * np.float32([-1, -1, 1])
    path = tmp_path / "u.nii"
    for values, intent in [
        (u, 1007),
        (u[:, :, :, None], 0),
        (ras, 1006),
        (ras[:, :, :, None], 1006),
    ]:
        np.testing.assert_array_equal(read_field(foreign(path, values, grid, intent))[0], u)
    field = sitk.ReadImage(str(foreign(path, ras[:, :, :, None], grid, 1006)))
    np.testing.assert_allclose(sitk.GetArrayFromImage(field).transpose(2, 1, 0, 3), u)
    field = sitk.ReadImage(str(foreign(path, u[:, :, :, None], grid, 1007)))
    sitk.WriteImage(field, str(tmp_path / "sitk.nii.gz"))
    again, its_grid = read_field(tmp_path / "sitk.nii.gz")
    np.testing.assert_allclose(again, u, atol=1e-6)
    np.testing.assert_allclose(its_grid.affine, grid.affine, atol=1e-4)


def test_a_2d_field_of_two_components_is_read(tmp_path: Path) -> None:
    plane = sitk.GetImageFromArray(some((9, 12, 2), "f4"), isVector=True)
    plane.SetSpacing((0.5, 2))
    sitk.WriteImage(plane, str(tmp_path / "u.nii"))
    u, grid = read_field(tmp_path / "u.nii")
    assert u.shape == (12, 9, 1, 3) and grid.spacing[:2] == (0.5, 2)
    np.testing.assert_array_equal(u[:, :, 0, :2], some((9, 12, 2), "f4").transpose(1, 0, 2))
    assert not u[..., 2].any()


def test_a_scalar_map_lies_on_the_grid(tmp_path: Path) -> None:
    grid = GRIDS["axes swapped"]
    write_scalar(tmp_path / "j.nii.gz", wave(grid)[..., 0], grid)
    image = nib.load(tmp_path / "j.nii.gz")
    assert image.get_data_dtype() == np.float32
    np.testing.assert_allclose(image.affine, grid.affine, atol=1e-6)
    np.testing.assert_allclose(image.get_fdata(), wave(grid)[..., 0], atol=1e-6)
    np.testing.assert_allclose(grid_of(image.header).affine, grid.affine, atol=1e-6)


def test_what_is_not_on_the_grid_is_a_wrong_call(tmp_path: Path) -> None:
    grid = GRIDS["oblique"]
    with pytest.raises(ArgumentError, match="write_field"):
        write_field(tmp_path / "u.nii", np.zeros((*SHAPE, 2)), grid)
    with pytest.raises(ArgumentError, match="write_scalar"):
        write_scalar(tmp_path / "s.nii", np.zeros((3, 3, 3)), grid)
    with pytest.raises(ArgumentError, match="write_image"):
        write_image(
            tmp_path / "i.nii", np.zeros((3, 3, 3)), Case.from_arrays(np.eye(4)).images[0], grid
        )
    assert not list(tmp_path.iterdir())
