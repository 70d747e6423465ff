"""Images and labels in files: voxel for voxel, header for header."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.spatial.transform import Rotation

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import ArgumentError, GeometryWarning
from src_core.io import read_case, read_field, write_field, write_image
from src_core.io.hashing import sha256_array, sha256_file

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


def save(path: Path, data: NDArray[Any], header: nib.Nifti1Header) -> bytes:
    """A NIfTI file made without the code under test; returns its voxel bytes."""
    header.set_data_shape(data.shape)
    header.set_data_dtype(data.dtype)
    header["vox_offset"] = 352
    voxels = data.astype(header.get_data_dtype()).tobytes(order="F")
    raw = header.binaryblock + bytes(4) + voxels
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return voxels


def content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def some(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, 120, shape).astype(dtype)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
def test_an_unchanged_image_is_written_bit_for_bit(
    ending: str, endianness: str, dtype: str, tmp_path: Path
) -> None:
    header = nib.Nifti1Header(endianness=endianness)
    header.set_xyzt_units("mm", "msec")
    header.set_sform(oblique(), 2)
    header.set_qform(np.diag([-1.2, 2, 3, 1]), 1)
    header["scl_slope"], header["scl_inter"] = 0.37, -12
    header["descrip"], header["cal_max"], header["intent_code"] = b"as it came", 77, 1001
    path, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    data = some((*SHAPE, 2), dtype)
    save(path, data, header)
    case = read_case(path)
    assert case.image.dtype == np.dtype(dtype) and case.image.dtype.isnative
    np.testing.assert_array_equal(case.image, data)
    assert case.images[0].scaling == (pytest.approx(0.37), -12)
    write_image(out, case.image, case.images[0], case.grid)
    assert content(out) == content(path)


def test_the_same_voxels_are_the_same_file(tmp_path: Path) -> None:
    case = Case.from_arrays(some(SHAPE, "i2"), affine=oblique())
    paths = [tmp_path / "a.nii.gz", tmp_path / "other name.nii.gz"]
    for path in paths:
        write_image(path, case.image, case.images[0])
    assert sha256_file(paths[0]) == sha256_file(paths[1])
    assert paths[0].read_bytes()[4:8] == bytes(4)  # gzip's time stamp


def test_header_extensions_stay(tmp_path: Path) -> None:
    image = nib.Nifti1Image(some(SHAPE, "i2"), oblique())
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"kept"))
    nib.save(image, tmp_path / "in.nii")
    case = read_case(tmp_path / "in.nii")
    write_image(tmp_path / "out.nii", case.image, case.images[0])
    assert nib.load(tmp_path / "out.nii").header.extensions[0].get_content() == b"kept"
    np.testing.assert_array_equal(nib.load(tmp_path / "out.nii").dataobj, image.dataobj)


def test_nifti_2_goes_round(tmp_path: Path) -> None:
    data = some(SHAPE, "u2")
    nib.save(nib.Nifti2Image(data, oblique()), tmp_path / "in.nii.gz")
    case = read_case(tmp_path / "in.nii.gz")
    write_image(tmp_path / "out.nii.gz", case.image, case.images[0], case.grid)
    assert content(tmp_path / "out.nii.gz") == content(tmp_path / "in.nii.gz")


def test_values_are_rounded_and_limited_to_the_stored_type(tmp_path: Path) -> None:
    case = Case.from_arrays(some((4, 5, 2), "u1"))
    values = np.full((4, 5, 2), 3.6)
    values[0, 0, 0], values[1, 0, 0] = -4, 300
    write_image(tmp_path / "out.nii", values, case.images[0])
    out = read_case(tmp_path / "out.nii").image
    assert (out.dtype, out[0, 0, 0], out[1, 0, 0], out[2, 0, 0]) == (np.uint8, 0, 255, 4)


def test_2d_gets_a_third_axis_and_keeps_its_header(tmp_path: Path) -> None:
    header = nib.Nifti1Header()
    header["pixdim"][1:4] = 0.5, 0.75, 0
    data = some((12, 9), "i2")
    voxels = save(tmp_path / "in.nii", data, header)
    case = read_case(tmp_path / "in.nii")
    assert case.image.shape == (12, 9, 1) and case.grid.spacing == (0.5, 0.75, 1)
    write_image(tmp_path / "out.nii", case.image, case.images[0], case.grid)
    assert content(tmp_path / "out.nii")[352:] == voxels
    assert nib.load(tmp_path / "out.nii").shape == (12, 9, 1)
    assert sitk.ReadImage(str(tmp_path / "out.nii")).GetSize() == (12, 9, 1)


def test_a_cine_has_frames_and_trailing_single_axes_are_dropped(tmp_path: Path) -> None:
    data = some((*SHAPE, 4, 1), "f4")
    save(tmp_path / "in.nii", data, nib.Nifti1Header())
    case = read_case(tmp_path / "in.nii", labels=tmp_path / "in.nii")
    assert case.image.shape == (*SHAPE, 4) and case.images[0].frames == 4
    write_image(tmp_path / "out.nii", case.image, case.images[0], case.grid)
    assert content(tmp_path / "out.nii") == content(tmp_path / "in.nii")


def test_another_grid_replaces_the_geometry_only(tmp_path: Path) -> None:
    case = Case.from_arrays(some(SHAPE, "i2"), affine=oblique())
    moved = Grid(SHAPE, permuted())
    write_image(tmp_path / "out.nii", case.image, case.images[0], moved)
    again = read_case(tmp_path / "out.nii")
    np.testing.assert_allclose(again.grid.affine, moved.affine, atol=1e-5)
    np.testing.assert_array_equal(again.image, case.image)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_labels_keep_their_type(dtype: str, tmp_path: Path) -> None:
    labels = some(SHAPE, "u1") // 40
    save(tmp_path / "labels.nii", labels.astype(dtype), nib.Nifti1Header())
    save(tmp_path / "image.nii", some(SHAPE, "f4"), nib.Nifti1Header())
    case = read_case(tmp_path / "image.nii", tmp_path / "labels.nii")
    assert case.label_map is not None and case.label_map.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(case.label_map, labels)


def test_labels_stored_with_a_slope_mean_what_they_mean(tmp_path: Path) -> None:
    labels = (some(SHAPE, "u1") // 40).astype(np.float64)
    image = nib.Nifti1Image(labels, oblique())
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "labels.nii")
    assert nib.load(tmp_path / "labels.nii").dataobj.slope != 1
    case = read_case(tmp_path / "labels.nii", tmp_path / "labels.nii")
    assert case.label_map is not None and case.label_map.dtype == np.int16
    np.testing.assert_array_equal(case.label_map, labels)
    write_image(tmp_path / "out.nii", case.label_map, case.labels[0], case.grid)
    np.testing.assert_array_equal(nib.load(tmp_path / "out.nii").get_fdata(), labels)


def test_several_images_share_a_case(tmp_path: Path) -> None:
    names = [tmp_path / n for n in ("t1.nii", "t2.nii.gz", "cine.nii")]
    for name, shape in zip(names, [SHAPE, SHAPE, (*SHAPE, 3)], strict=True):
        save(name, some(shape, "i2"), nib.Nifti1Header())
    case = read_case(names, labels=[names[0], names[1]])
    assert [i.frames for i in case.images] == [1, 1, 3]
    assert len(case.labels) == 2 and case.name == "t1"


def test_a_sheared_grid_works_with_a_warning_that_is_kept(tmp_path: Path) -> None:
    affine = oblique()
    affine[0, 1] += 0.3
    with pytest.warns(GeometryWarning, match="ITK"):
        case = Case.from_arrays(some(SHAPE, "i2"), affine=affine)
    assert "sheared" in case.notes[0]
    write_field(tmp_path / "u.nii", np.ones((*SHAPE, 3)), case.grid)
    u, grid = read_field(tmp_path / "u.nii")
    np.testing.assert_allclose(grid.affine, affine, atol=1e-5)
    np.testing.assert_array_equal(u, 1)


@pytest.mark.parametrize(("ending", "dtype"), [(".png", "u1"), (".png", "u2"), (".tif", "f4")])
def test_pictures_go_round_and_lie_as_itk_reads_them(
    ending: str, dtype: str, tmp_path: Path
) -> None:
    pixels = (some((6, 11), "u1") * 2).astype(dtype)
    path, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    Pillow.fromarray(pixels).save(path)
    case = read_case(path, spacing=(0.5, 0.25))
    assert case.image.shape == (11, 6, 1) and case.image.dtype == np.dtype(dtype)
    assert case.grid.spacing == (0.5, 0.25, 1) and read_case(path).grid.spacing == (1, 1, 1)
    np.testing.assert_array_equal(case.image[..., 0].T, pixels)
    write_image(out, case.image, case.images[0], case.grid)
    np.testing.assert_array_equal(np.asarray(Pillow.open(out)), pixels)
    write_image(tmp_path / "out.nii", case.image, case.images[0], read_case(path).grid)
    ours, itks = sitk.ReadImage(str(tmp_path / "out.nii"))[..., 0], sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(itks))
    assert ours.GetDirection() == itks.GetDirection() and ours.GetOrigin() == itks.GetOrigin()


def test_from_arrays_takes_what_viewers_hold() -> None:
    case = Case.from_arrays(some((6, 5), ">i2"), labels=np.eye(6, 5, dtype=bool), spacing=0.5)
    assert case.image.shape == (6, 5, 1) and case.image.dtype.isnative
    assert case.label_map is not None and case.label_map.dtype == np.uint8
    assert case.grid.spacing == (0.5, 0.5, 0.5)
    with pytest.raises(ArgumentError, match="both"):
        Case.from_arrays(some((6, 5), "u1"), affine=np.eye(4), spacing=1)


def test_hashes_know_type_and_shape_but_not_layout() -> None:
    array = some((3, 4), "i2")
    assert sha256_array(array) == sha256_array(np.asfortranarray(array).astype(">i2"))
    others = [array.T, array.astype("i4"), array + 1, array.ravel()]
    assert len({sha256_array(a) for a in [array, *others]}) == 5
