"""Fields of other tools: ITK's own formats against SimpleITK, FSL's by their definition."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.header import header_for
from src_core.errors import InputError
from src_core.io import holds_field, read_case, read_field, write_field
from src_core.io.nifti import write_nifti

SHAPE = (12, 9, 7)


def oblique(flip: float = 1.0) -> Grid:
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", (12, -25, 40), degrees=True).as_matrix()
    affine[:3, :3] = turn * [flip * 1.3, 0.9, 2.5]
    affine[:3, 3] = 31, -17, 5.5
    return Grid(SHAPE, affine)


def wave(grid: Grid) -> NDArray[np.float64]:
    """Voxels, (X, Y, Z, 3), different along every axis."""
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in grid.shape], indexing="ij")
    return np.stack([1.5 * np.sin(3 * y + z), np.cos(4 * x) - z, 0.8 * np.sin(2 * x + 3 * y)], -1)


def sitk_field(grid: Grid) -> sitk.Image:
    """The wave as SimpleITK holds it, made without the code under test."""
    u = grid.to_lps_mm(wave(grid))
    field = sitk.GetImageFromArray(u.transpose(2, 1, 0, 3), isVector=True)
    field.SetSpacing(grid.spacing)
    field.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    field.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    return field


def moved_points(u: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
    """Voxels (N, 3) as LPS mm, and where a field takes them."""
    voxels = np.indices(grid.shape).reshape(3, -1)
    ras = (grid.affine @ np.vstack([voxels, np.ones(voxels.shape[1])]))[:3].T
    return ras * RAS_TO_LPS, ras * RAS_TO_LPS + u[tuple(voxels)]


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nrrd", ".nhdr", ".h5", ".tfm"])
def test_itk_formats_hold_the_numbers_that_itk_reads(ending: str, tmp_path: Path) -> None:
    path, grid = tmp_path / f"field{ending}", oblique()
    if ending in (".h5", ".tfm"):
        sitk.WriteTransform(sitk.DisplacementFieldTransform(sitk_field(grid)), str(path))
    else:
        sitk.WriteImage(sitk_field(grid), str(path))
    u, found = read_field(path)
    assert holds_field(path) and u.shape == (*SHAPE, 3) and u.dtype == np.float32
    np.testing.assert_allclose(found.affine, grid.affine, atol=1e-6)
    np.testing.assert_allclose(u, grid.to_lps_mm(wave(grid)), atol=1e-5)


def test_a_composite_transform_is_followed_whole(tmp_path: Path) -> None:
    grid, path = oblique(), tmp_path / "composite.h5"
    turn = sitk.Euler3DTransform((30, 20, 10), 0.2, -0.1, 0.3, (4, -2, 1))
    parts = [turn, sitk.DisplacementFieldTransform(sitk_field(grid))]
    whole = sitk.CompositeTransform(parts)
    sitk.WriteTransform(whole, str(path))
    u, found = read_field(path)
    here, there = moved_points(u, found)
    expected = [whole.TransformPoint(tuple(p)) for p in here.tolist()]
    np.testing.assert_allclose(there, expected, atol=1e-4)
    assert np.ptp(u - grid.to_lps_mm(wave(grid))) > 5


def test_a_2d_field_of_itk_has_one_slice(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(9, 12, 2)).astype(np.float32)
    plane = sitk.GetImageFromArray(values, isVector=True)
    plane.SetSpacing((0.5, 2))
    plane.SetOrigin((3, -4))
    plane.SetDirection((0.8, -0.6, 0.6, 0.8))
    for name in ("u.mha", "u.nii"):
        sitk.WriteImage(plane, str(tmp_path / name))
    (u, grid), (same, same_grid) = (read_field(tmp_path / n) for n in ("u.mha", "u.nii"))
    assert holds_field(tmp_path / "u.nii")
    np.testing.assert_array_equal(u[:, :, 0, :2], values.transpose(1, 0, 2))
    np.testing.assert_array_equal(u, same)
    np.testing.assert_allclose(grid.affine[:2], same_grid.affine[:2], atol=1e-5)


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_fsl_s_absolute_warps_are_distinguished_from_relative_ones(
    kind: str, flip: float, tmp_path: Path
) -> None:
    grid = oblique(flip)

    def fsl_mm(voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        mm = voxels * grid.spacing
        if np.linalg.det(grid.affine) > 0:
            mm[..., 0] = (grid.shape[0] - 1) * grid.spacing[0] - mm[..., 0]
        return mm

    here = np.moveaxis(np.indices(grid.shape, dtype=float), 0, -1)
    warp = fsl_mm(here + wave(grid)) - (fsl_mm(here) if kind == "relative" else 0)
    image = nib.Nifti1Image(warp.astype(np.float32), grid.affine)
    image.header["intent_code"] = 2006
    nib.save(image, tmp_path / "warp.nii.gz")
    u, _ = read_field(tmp_path / "warp.nii.gz")
    np.testing.assert_allclose(grid.to_voxels(u), wave(grid), atol=1e-4)


@pytest.mark.parametrize(("name", "fsl"), [("warp_fsl.nii", True), ("warp.nii", False)])
def test_a_name_identifies_a_plain_file_of_fsl(name: str, fsl: bool, tmp_path: Path) -> None:
    grid = oblique()
    u = grid.to_lps_mm(wave(grid)).astype(np.float32)
    write_field(tmp_path / name, u, grid, format="fsl" if fsl else "itk")
    image = nib.load(tmp_path / name)
    plain = nib.Nifti1Image(np.asarray(image.dataobj).copy().reshape(*SHAPE, 3), grid.affine)
    nib.save(plain, tmp_path / name)
    given = None if fsl else "itk"
    np.testing.assert_allclose(read_field(tmp_path / name, given)[0], u, atol=1e-4)
    other = read_field(tmp_path / name, format="itk" if fsl else "fsl")[0]
    assert np.abs(other - u).max() > 0.5


@pytest.mark.parametrize(
    ("name", "shape", "intent", "field"),
    [
        ("a.nii", (5, 4, 3, 1, 3), 0, True),
        ("a.nii", (5, 4, 1, 1, 2), 1007, True),
        ("a.nii", (5, 4, 3, 1, 2), 1007, False),
        ("a.nii", (5, 4, 3, 2, 3), 1007, False),
        ("a.nii", (5, 4, 3, 3), 2006, True),
        ("a.nii", (5, 4, 3, 20), 2007, False),
        ("cine.nii", (5, 4, 3, 3), 0, False),
        ("T1_to_MNI_warp.nii", (5, 4, 3, 3), 0, True),
        ("sub_ddf.nii", (5, 4, 3, 3), 0, True),
        ("warped.nii", (5, 4, 3, 3), 0, False),
        ("field.nii", (5, 4, 3), 0, False),
    ],
)
def test_a_field_is_distinguished_from_an_image(
    name: str, shape: tuple[int, ...], intent: int, field: bool, tmp_path: Path
) -> None:
    header = header_for(Grid.from_spacing(shape[:3], 1), np.dtype("f4"), shape)
    header["intent_code"] = intent
    write_nifti(tmp_path / name, np.zeros(shape, np.float32), header)
    assert holds_field(tmp_path / name) is field


def bad_files(folder: Path) -> dict[Path, str]:
    image = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.float32))
    sitk.WriteImage(image, str(folder / "image.mha"))
    sitk.WriteTransform(sitk.AffineTransform(3), str(folder / "affine.tfm"))
    (folder / "text.h5").write_text("TransformGroup")
    header = header_for(Grid(SHAPE, np.eye(4)), np.dtype("f4"), (*SHAPE, 3))
    header["intent_code"] = 2007
    write_nifti(folder / "coef.nii", np.zeros((*SHAPE, 3), np.float32), header)
    holes = sitk_field(oblique())
    holes[2, 3, 4] = (np.nan, 0, 0)
    sitk.WriteImage(holes, str(folder / "holes.nrrd"))
    return {
        folder / "image.mha": "one value per voxel",
        folder / "affine.tfm": "no displacement field in it",
        folder / "text.h5": "ITK cannot read",
        folder / "coef.nii": "fnirtfileutils",
        folder / "holes.nrrd": "NaN",
        folder / "missing.mha": "no such file",
    }


def test_bad_fields_get_one_clear_line(tmp_path: Path) -> None:
    for path, words in bad_files(tmp_path).items():
        with pytest.raises(InputError, match=words) as caught:
            read_field(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert not holds_field(tmp_path / "image.mha") and not holds_field(tmp_path / "missing.mha")


def test_without_simpleitk_one_line_says_what_to_install(tmp_path: Path, monkeypatch: Any) -> None:
    sitk.WriteImage(sitk_field(oblique()), str(tmp_path / "u.mha"))
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    assert holds_field(tmp_path / "u.mha")
    with pytest.raises(InputError, match=r"pip install napari-drdm\[itk\]"):
        read_field(tmp_path / "u.mha")


def test_an_image_is_no_field_and_a_field_no_image(tmp_path: Path) -> None:
    grid = oblique()
    write_field(tmp_path / "u.nii.gz", grid.to_lps_mm(wave(grid)), grid)
    with pytest.raises(InputError, match="displacement field"):
        read_case(tmp_path / "u.nii.gz")
