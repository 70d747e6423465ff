"""Images of ITK's formats as SimpleITK holds them, and fields as ITK, ANTs and FSL apply them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cli import run as drdm
from src_core.datasets.reading import read_dataset
from src_core.errors import InputError
from src_core.fields.warp_case import warp_case
from src_core.io import holds_field, read_case, read_field, write_field, write_image

SHAPE = (14, 11, 8)


def grid(flip: float = 1.0, shape: tuple[int, int, int] = SHAPE) -> Grid:
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", (9, -21, 33), degrees=True).as_matrix()
    affine[:3, :3] = turn * [flip * 1.25, 0.8, 2.5]
    affine[:3, 3] = 21, -17, 5.5
    return Grid(shape, affine)


def smooth(shape: tuple[int, ...] = SHAPE) -> NDArray[np.float64]:
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in shape[:3]], indexing="ij")
    return 60 + 20 * np.sin(3 * x + y) + 15 * np.cos(2 * y - 3 * z)


def field(where: Grid) -> NDArray[np.float32]:
    """LPS mm, different along every axis, at most about a voxel and a half."""
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in where.shape], indexing="ij")
    u = np.stack([1.2 * np.sin(3 * y + z), np.cos(3 * x) - z, 0.6 * np.sin(2 * x + y)], -1)
    return where.to_lps_mm(u).astype(np.float32)


def itk_image(values: NDArray[Any], where: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
    image.SetSpacing(where.spacing)
    image.SetDirection((RAS_TO_LPS[:, None] * where.direction).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS * where.affine[:3, 3]).tolist())
    return image


def write_series(folder: Path, values: NDArray[Any], where: Grid, uid: str = "1.2.3.4") -> None:
    """A DICOM series, one file a slice, with a slope; written out of order."""
    folder.mkdir(exist_ok=True)
    image = itk_image(values, where)
    axes = image.GetDirection()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for z in range(image.GetSize()[2]):
        one = image[:, :, z]
        place = image.TransformIndexToPhysicalPoint((0, 0, z))
        tags = {
            "0008|0060": "MR",
            "0020|000e": f"{uid}.{sum(map(ord, folder.name))}",
            "0020|000d": "1.2.3",
            "0008|0018": f"{uid}.9.{z + 1}",
            "0020|0013": str(z + 1),
            "0020|0032": "\\".join(f"{v:.9g}" for v in place),
            "0020|0037": "\\".join(f"{axes[i]:.9g}" for i in (0, 3, 6, 1, 4, 7)),
            "0018|0050": f"{where.spacing[2]:.9g}",
        }
        for tag, value in tags.items():
            one.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{(z * 7 + 3) % image.GetSize()[2]:03d}.dcm"))
        writer.Execute(one)


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
    ("make", "name", "said"),
    [
        (vectors, "a.mha", "3 values per voxel"),
        (vectors, "a.nrrd", "3 values per voxel"),
        (damaged, "a.nrrd", "cannot read"),
        (damaged, "a.mha", "cannot read"),
        (complex_numbers, "a.mha", "2 values per voxel"),
        (lambda path: path, "absent.mha", "no such file"),
        (lambda path: path.mkdir() or path, "empty", "without DICOM"),
        (lambda path: path.write_text("no") and path, "a.dcm", "cannot read"),
    ],
)
def test_a_bad_file_is_one_clear_line(make: Any, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
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


def moved_by_itk(image: sitk.Image, path: Path) -> NDArray[Any]:
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    return sitk.GetArrayFromImage(
        sitk.Resample(image, image, transform, sitk.sitkLinear, 0.0)
    ).transpose(2, 1, 0)


def inner(values: NDArray[Any]) -> NDArray[Any]:
    """Voxels that a field of a voxel and a half moves from inside the image alone."""
    return values[2:-2, 2:-2, 2:-2]


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
@pytest.mark.parametrize("ending", ["mha", "nrrd", "nii.gz"])
def test_itk_applies_a_written_field_as_we_do(ending: str, flip: float, tmp_path: Path) -> None:
    where, path = grid(flip), tmp_path / f"u.{ending}"
    u = field(where)
    write_field(path, u, where)
    case = Case.from_arrays(smooth(), affine=where.affine)
    ours = warp_case(case, u).image
    assert np.abs(inner(moved_by_itk(itk_image(smooth(), where), path) - ours)).max() < 2e-3
    assert holds_field(path)
    again, there = read_field(path)
    assert np.array_equal(again, u) and there.distance_mm(where) < 1e-4


def test_the_same_field_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_field(tmp_path / f"{name}.mha", field(grid()), grid())
    assert (tmp_path / "a.mha").read_bytes() == (tmp_path / "b.mha").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mha", "b.mha"]


@pytest.mark.parametrize("trouble", ["sheared", "no folder", "fsl"])
def test_a_field_that_cannot_be_written_so_is_told(trouble: str, tmp_path: Path) -> None:
    where, home = grid(), tmp_path
    if trouble == "sheared":
        affine = where.affine.copy()
        affine[0, 1] += 0.4
        where = Grid(SHAPE, affine)
    home = tmp_path / "none" if trouble == "no folder" else tmp_path
    with pytest.raises(InputError):
        write_field(home / "u.mha", field(where), where, "fsl" if trouble == "fsl" else "itk")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
def test_ants_applies_a_written_field_as_we_do(flip: float, tmp_path: Path) -> None:
    ants = pytest.importorskip("ants", reason="antspyx is not installed")
    where = grid(flip)
    u, case = field(where), Case.from_arrays(smooth(), affine=where.affine)
    write_image(tmp_path / "image.nii.gz", case.image, case.images[0], case.grid)
    write_field(tmp_path / "Warp.nii.gz", u, where)
    image = ants.image_read(str(tmp_path / "image.nii.gz"), pixeltype="double")
    moved = ants.apply_transforms(image, image, [str(tmp_path / "Warp.nii.gz")], "linear")
    assert np.abs(inner(moved.numpy() - warp_case(case, u).image)).max() < 2e-3


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
def test_a_field_that_ants_wrote_is_the_one_it_means(flip: float, tmp_path: Path) -> None:
    ants = pytest.importorskip("ants", reason="antspyx is not installed")
    where, path = grid(flip), str(tmp_path / "written.nii.gz")
    direction = RAS_TO_LPS[:, None] * where.direction
    warp = ants.from_numpy(
        field(where).astype(np.float64),
        origin=(RAS_TO_LPS * where.affine[:3, 3]).tolist(),
        spacing=list(where.spacing),
        direction=direction,
        has_components=True,
    )
    ants.image_write(warp, path)
    u, there = read_field(path)
    assert np.allclose(u, field(where), atol=1e-5) and there.distance_mm(where) < 1e-4


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
def test_fsl_reads_a_written_field_as_we_mean_it(flip: float, tmp_path: Path) -> None:
    pytest.importorskip("fsl.transform", reason="fslpy is not installed")
    from fsl.data.image import Image
    from fsl.transform.fnirt import readFnirt
    from fsl.transform.nonlinear import applyDeformation

    where = grid(flip)
    u, case = field(where), Case.from_arrays(smooth(), affine=where.affine)
    write_image(tmp_path / "image.nii.gz", case.image, case.images[0], case.grid)
    write_field(tmp_path / "warp.nii.gz", u, where, "fsl")
    image = Image(str(tmp_path / "image.nii.gz"))
    warp = readFnirt(str(tmp_path / "warp.nii.gz"), image, image, defType="relative")
    moved = applyDeformation(image, warp, order=1)
    assert np.abs(inner(moved - warp_case(case, u).image)).max() < 5e-3


@pytest.mark.parametrize("flip", [1.0, -1.0], ids=["right", "left"])
def test_a_field_that_fsl_wrote_is_the_one_it_means(flip: float, tmp_path: Path) -> None:
    pytest.importorskip("fsl.transform", reason="fslpy is not installed")
    from fsl.data.image import Image
    from fsl.transform.fnirt import toFnirt
    from fsl.transform.nonlinear import DeformationField

    where = grid(flip)
    u, case = field(where), Case.from_arrays(smooth(), affine=where.affine)
    write_image(tmp_path / "image.nii.gz", case.image, case.images[0], case.grid)
    image = Image(str(tmp_path / "image.nii.gz"))
    # as FSL has world coordinates: RAS mm, so this is the plainest statement of the field
    world = (u * RAS_TO_LPS).astype(np.float64)
    plain = DeformationField(
        world,
        image,
        image,
        srcSpace="world",
        refSpace="world",
        defType="relative",
        xform=where.affine,
    )
    toFnirt(plain).save(str(tmp_path / "written.nii.gz"))
    again, _ = read_field(tmp_path / "written.nii.gz", "fsl")
    assert np.allclose(again, u, atol=2e-4)


def test_the_shell_writes_mha_and_applies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_models: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    values = 50 + 40 * np.sin(np.indices((40, 36, 3)).sum(0) / 7)
    sitk.WriteImage(itk_image(values, grid(shape=(40, 36, 3))), "scan.nrrd")
    call = ["generate", "scan.nrrd", "--model", "tiny", "--level", "20", "--out", "new"]
    assert drdm([*call, "--field-format", "mha"]) == 0
    assert {"displacement.mha", "inverse.mha", "image.nii.gz"} <= set(os.listdir("new"))
    assert drdm(["apply", "new/displacement.mha", "scan.nrrd", "--out", "moved"]) == 0
    assert np.array_equal(
        read_case("moved/image.nii.gz").image, read_case("new/image.nii.gz").image
    )
    assert drdm(["replay", "new/recipe.json"]) == 0
