"""Written fields as ITK, ANTs and FSL apply them, and fields that they wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cli import run as drdm
from src_core.errors import InputError
from src_core.fields.warp_case import warp_case
from src_core.io import holds_field, read_case, read_field, write_field, write_image
from tests.support.itk import SHAPE, field, grid, itk_image, smooth


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
def test_a_field_that_cannot_be_written_so_is_reported(trouble: str, tmp_path: Path) -> None:
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
