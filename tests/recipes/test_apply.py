"""Any field on any grid, against SimpleITK."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter, map_coordinates

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.on_grid import covered_percent, on_grid
from src_core.io import read_case, read_field, write_field, write_image
from src_core.recipes.apply import apply_field

SOURCE = Grid((28, 34, 20), np.diag([-2.0, -2.5, 3.0, 1.0]))


def turned() -> np.ndarray:
    """An oblique, flipped, anisotropic affine about the middle of the source grid."""
    c, s = np.cos(0.3), np.sin(0.3)
    direction = np.array([[c, -s, 0], [s, c, 0], [0, 0, -1.0]])
    affine = np.eye(4)
    affine[:3, :3] = direction * [1.5, 1.7, 2.2]
    centre = SOURCE.affine @ [13.5, 16.5, 9.5, 1]
    affine[:3, 3] = centre[:3] - affine[:3, :3] @ [11.5, 14.5, 7.5]
    return affine


def smooth_field() -> np.ndarray:
    noise = np.random.default_rng(4).normal(size=(*SOURCE.shape, 3))
    field = gaussian_filter(noise, (4, 4, 4, 0))
    return (6 * field / np.abs(field).max()).astype(np.float32)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    data = gaussian_filter(np.random.default_rng(5).normal(size=(24, 30, 16)), 3)
    made = Case.from_arrays((1000 * data).astype(np.float32), affine=turned(), name="other")
    write_image(tmp_path / "other.nii.gz", made.image, made.images[0], made.grid)
    return read_case(tmp_path / "other.nii.gz")


def test_a_field_moves_an_image_of_another_grid_as_in_simpleitk(case: Case, tmp_path: Path) -> None:
    field, out = smooth_field(), tmp_path / "out"
    write_field(tmp_path / "field.nii.gz", field, SOURCE)
    out.mkdir()
    apply_field(case, field, SOURCE, out)
    image = sitk.ReadImage(str(tmp_path / "other.nii.gz"))
    vectors = sitk.ReadImage(str(tmp_path / "field.nii.gz"), sitk.sitkVectorFloat64)
    theirs = sitk.Resample(image, sitk.DisplacementFieldTransform(vectors), sitk.sitkLinear)
    ours = sitk.ReadImage(str(out / "image.nii.gz"))
    inner = (slice(4, -4),) * 3
    one, two = (sitk.GetArrayFromImage(i)[inner] for i in (ours, theirs))
    assert np.abs(one - sitk.GetArrayFromImage(image)[inner]).max() > 0.2 * np.ptp(one)
    assert np.abs(one - two).max() < 1e-3 * np.ptp(two)


def test_the_inverse_takes_it_back(case: Case, tmp_path: Path) -> None:
    field = smooth_field()
    for name, values, inverse in (("there", field, False), ("back", field, True)):
        (tmp_path / name).mkdir()
        moved = case if name == "there" else read_case(tmp_path / "there" / "image.nii.gz")
        reported = apply_field(moved, values, SOURCE, tmp_path / name, inverse=inverse)
        assert reported == json.loads((tmp_path / name / "metrics.json").read_text())
        assert reported["inverse"] is inverse and reported["min_det"] > 0
    (there, grid), (back, _) = (
        read_field(tmp_path / name / "displacement.nii.gz") for name in ("there", "back")
    )
    voxels = np.moveaxis(np.indices(grid.shape), 0, -1) + grid.to_voxels(back)
    onward = [
        map_coordinates(there[..., i], voxels.transpose(3, 0, 1, 2), order=1) for i in (0, 1, 2)
    ]
    left = np.linalg.norm(back + np.stack(onward, -1), axis=-1)[(slice(6, -6),) * 3]
    assert np.linalg.norm(there, axis=-1).max() > 4
    assert left.max() < 0.01


def test_a_field_on_its_own_grid_is_left_as_it_is() -> None:
    field = smooth_field()
    assert on_grid(field, SOURCE, SOURCE) is field
    assert covered_percent(SOURCE, SOURCE) == 100


def test_a_field_elsewhere_is_refused(case: Case, tmp_path: Path) -> None:
    far = Grid(SOURCE.shape, SOURCE.affine + np.array([[0, 0, 0, 900.0], *np.zeros((3, 4))]))
    with pytest.raises(InputError, match="does not overlap the image"):
        apply_field(case, smooth_field(), far, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.nii.gz"]
