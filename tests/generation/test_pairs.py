"""Pairs against SimpleITK: the field between two images is the truth, in both directions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS
from src_core.errors import InputError
from src_core.fields.planes import lps_field
from src_core.fields.warp_case import warp_case
from src_core.generation import Options, generate
from src_core.generation.pairs import Pair, composed, make_pair, save_pair
from src_core.generation.recipe import digests
from src_core.io import read_case
from tests.support import tiny
from tests.support.paths import ROOT
from tests.support.ramps import ramp

FIRST, SECOND = Options(level=60, seed=3), Options(level=45, seed=8)


@pytest.fixture(scope="module", params=[(2, 1.0), (2, -1.0), (3, 1.0)], ids=["2D", "left", "3D"])
def pair(request: Any) -> Pair:
    ndim, flip = request.param
    shape = (46, 38, 4) if ndim == 2 else (30, 24, 14)
    return make_pair(ramp(shape, flip), tiny.model(ndim), FIRST, SECOND)


@pytest.fixture
def written(pair: Pair, tmp_path: Path) -> Path:
    return save_pair(pair, tmp_path / "pair")


def itk(path: Path) -> sitk.Image:
    return sitk.ReadImage(str(path))


def transform(path: Path) -> sitk.Transform:
    return sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))


def array(image: sitk.Image) -> NDArray[Any]:
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)


def within(u: NDArray[Any], case: Case, margin: float = 0.0) -> NDArray[np.bool_]:
    """Whether ``x + u(x)`` is in the image, so many voxels from its border."""
    at = np.moveaxis(np.indices(case.grid.shape), 0, -1) + case.grid.to_voxels(u)
    last = np.array(case.grid.shape) - 1
    low = np.where(last > 6, margin, 0)
    return ((at >= low - 1e-6) & (at <= last - low + 1e-6)).all(-1)


def test_itk_makes_the_fixed_image_of_the_moving_one(pair: Pair, written: Path) -> None:
    moved = sitk.Resample(
        itk(written / "moving.nii.gz"),
        itk(written / "fixed.nii.gz"),
        transform(written / "displacement.nii.gz"),
        sitk.sitkLinear,
        -1.0,
    )
    # The moving image is a ramp after phi_1, multilinear as phi_1 is: sampling it is exact where
    # phi_1 keeps the voxels around in the original.
    known = whole_cells(within(first_field(pair), pair.source), pair.displacement, pair.source)
    assert known.mean() > 0.4
    assert np.abs(array(moved) - pair.fixed.image)[known].max() < 2e-3


def test_total_displacement_is_phi_1_after_phi_2_as_itk_composes(pair: Pair) -> None:
    case = pair.source
    first = first_field(pair)
    total = composed(first, pair.displacement, case.grid)
    chain = sitk.CompositeTransform([field_transform(first, case)])
    chain.AddTransform(field_transform(pair.displacement, case))
    rng = np.random.default_rng(0)
    inside = np.argwhere(within(pair.displacement, case, 1.0))
    for voxel in rng.permutation(inside)[:200]:
        point = lps(case, voxel)
        there = np.array(chain.TransformPoint(point.tolist()))
        assert np.abs(point + total[tuple(voxel)] - there).max() < 2e-4
    assert np.array_equal(warp_case(case, total).image, pair.fixed.image)


def test_both_directions_undo_each_other_in_itk(pair: Pair, written: Path) -> None:
    there = transform(written / "displacement.nii.gz")
    back = transform(written / "inverse.nii.gz")
    spacing = min(pair.source.grid.spacing)
    inside = np.argwhere(within(pair.inverse, pair.source))
    assert len(inside) > 0.5 * pair.source.image.size
    errors = []
    for voxel in inside[:: max(1, len(inside) // 500)]:
        point = lps(pair.source, voxel)
        again = there.TransformPoint(back.TransformPoint(point.tolist()))
        errors.append(np.abs(np.array(again) - point).max())
    assert max(errors) < 2e-3 * spacing
    assert pair.metrics["inverse_error_voxels"] < 1e-3


def test_itk_makes_the_moving_image_of_the_fixed_one(pair: Pair, written: Path) -> None:
    moved = sitk.Resample(
        itk(written / "fixed.nii.gz"),
        itk(written / "moving.nii.gz"),
        transform(written / "inverse.nii.gz"),
        sitk.sitkLinear,
        -1.0,
    )
    total = composed(first_field(pair), pair.displacement, pair.source.grid)
    known = whole_cells(within(total, pair.source), pair.inverse, pair.source)
    known &= within(first_field(pair), pair.source)
    assert known.mean() > 0.3
    # The fixed image is not multilinear between its voxels, so this is exact but for sampling.
    wrong = np.abs(array(moved) - pair.moving.image)[known]
    apart = np.abs(pair.fixed.image - pair.moving.image)[known]
    assert np.median(wrong) < 0.06 * np.median(apart) and wrong.max() < 0.2 * apart.max()


def test_the_field_between_is_certified_and_the_labels_follow(pair: Pair) -> None:
    assert pair.metrics["certified"] and pair.metrics["min_det"] > 0
    assert pair.metrics["moving_level"] == 60 and pair.metrics["level"] == 45
    assert set(np.unique(pair.fixed.label_map)) <= {0, 2}
    now, before = (int((c.label_map == 2).sum()) for c in (pair.fixed, pair.moving))
    assert pair.metrics["label_volume_change"] == {"2": pytest.approx(100 * (now / before - 1))}


def test_level_zero_first_leaves_the_moving_image_as_it_was() -> None:
    case = ramp((46, 38, 4))
    made = make_pair(case, tiny.model(), Options(level=0), SECOND)
    assert np.array_equal(made.moving.image, case.image)
    assert np.array_equal(warp_case(case, made.displacement).image, made.fixed.image)


def test_composed_translations_add() -> None:
    import torch

    case = ramp((20, 16, 5))
    a, b = (
        lps_field(
            torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1, 1).expand(1, 3, 20, 16, 5),
            case.grid,
            None,
        )
        for v in ((1.5, -2.0, 0.5), (-0.25, 0.75, 1.0))
    )
    assert np.allclose(composed(a, b, case.grid), a + b, atol=1e-5)


def test_a_pair_is_the_same_bits_again(pair: Pair) -> None:
    again = make_pair(pair.source, tiny.model(len(plane(pair))), FIRST, SECOND)
    assert again.recipe["outputs"] == pair.recipe["outputs"]


def test_deformations_that_differ_in_more_than_level_and_seed_are_refused() -> None:
    with pytest.raises(InputError, match="interpolation"):
        make_pair(tiny.case(), tiny.model(), Options(interpolation="cubic"), Options())


def plane(pair: Pair) -> tuple[int, ...]:
    shape = pair.source.grid.shape
    return shape if shape[2] > 6 else shape[:2]


def lps(case: Case, voxel: NDArray[Any]) -> NDArray[np.float64]:
    return RAS_TO_LPS * (case.grid.affine @ np.append(voxel, 1.0))[:3]


def field_transform(u: NDArray[Any], case: Case) -> sitk.Transform:
    grid = case.grid
    field = sitk.GetImageFromArray(u.transpose(2, 1, 0, 3).astype(np.float64), isVector=True)
    field.SetSpacing(grid.spacing)
    field.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    field.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    return sitk.DisplacementFieldTransform(field)


def first_field(pair: Pair) -> NDArray[np.float32]:
    """phi_1 of a pair."""
    model = tiny.model(len(plane(pair)))
    return generate(pair.source, model, **FIRST.model_dump()).displacement


def whole_cells(good: NDArray[np.bool_], u: NDArray[Any], case: Case) -> NDArray[np.bool_]:
    """Where ``x + u(x)`` lies in the image, between good voxels alone."""
    at = np.moveaxis(np.indices(case.grid.shape), 0, -1) + case.grid.to_voxels(u)
    # voxels along which nothing moves are met exactly, but for rounding
    at = np.where(np.abs(at - np.rint(at)) < 1e-4, np.rint(at), at)
    share = map_coordinates(good.astype(float), np.moveaxis(at, -1, 0), order=1, cval=0.0)
    return within(u, case) & (share > 1 - 1e-9)


def test_what_came_from_no_file_is_written_beside(tmp_path: Path) -> None:
    case = tiny.case()
    pair = make_pair(case, tiny.model(), Options(level=9), Options(level=7))
    home = save_pair(pair, tmp_path / "pair")
    named = json.loads((home / "recipe.json").read_text())["inputs"]["arrays"]
    there = read_case(home / named["image"]["path"], home / named["labels"]["path"])
    assert digests(there) == digests(case)


@pytest.mark.slow
def test_the_page_of_pairs_says_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "pairs.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    warped, fixed = (sitk.GetArrayFromImage(names[n]) for n in ("warped", "fixed"))
    moving = sitk.GetArrayFromImage(names["moving"])
    known = names["known"].T
    assert known.mean() > 0.8
    apart, before = (np.abs(a.astype(float) - fixed)[known].mean() for a in (warped, moving))
    assert apart < 0.2 * before
