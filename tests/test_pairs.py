"""Pairs against SimpleITK: the field between two images is the truth, in both directions."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from src_core import library
from src_core.case import Case
from src_core.checkpoint import save_model
from src_core.cli import run as drdm
from src_core.dataset import read_dataset
from src_core.deform import lps_field, warp_case
from src_core.errors import InputError
from src_core.generation import Options, generate
from src_core.grid import RAS_TO_LPS
from src_core.io import read_case
from src_core.pairs import Pair, PairsRequest, composed, make_pair, make_pairs, make_plan, save_pair
from src_core.recipe import digests
from tests import tiny

FIRST, SECOND = Options(level=60, seed=3), Options(level=45, seed=8)


def oblique(flip: float = 1.0) -> NDArray[np.float64]:
    cos, sin = math.cos(0.5), math.sin(0.5)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, cos, -sin], [0, sin, cos]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn * [flip * 1.2, 0.9, 4.0]
    affine[:3, 3] = 11, -23, 37
    return affine


def ramp(shape: tuple[int, int, int], flip: float = 1.0) -> Case:
    """An image that linear interpolation gives exactly, above 0 wherever a point may come to."""
    x, y, z = np.indices(shape).astype(np.float64)
    labels = np.zeros(shape, np.uint8)
    labels[shape[0] // 3 : 2 * shape[0] // 3, shape[1] // 4 : 3 * shape[1] // 4, 1:-1] = 2
    values = 100 + 3 * x - 2 * y + 5 * z + 2 * shape[1]
    return Case.from_arrays(values, labels, affine=oblique(flip), name="ramp")


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


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    import nibabel as nib

    home = tmp_path / "scans"
    for kind in ("images", "labels"):
        (home / kind).mkdir(parents=True)
    for name in ("anna", "bert"):
        case = ramp((34, 30, 3))
        for kind, data in (("images", case.image + len(name)), ("labels", case.label_map)):
            nib.save(nib.Nifti1Image(data, oblique()), home / kind / f"{name}.nii.gz")
    (home / "images" / "cora.nii.gz").write_bytes(b"no image")
    return home


def request(dataset: Path, out: Path, **values: Any) -> PairsRequest:
    return PairsRequest(dataset, out, **{"per_case": 2, "levels": (20, 40), **values})


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def tree(out: Path) -> dict[str, bytes]:
    return {
        p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()
    }


def test_a_run_makes_the_pairs_it_can_and_tells_of_the_others(
    dataset: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "out", tiny.model()
    made = list(make_pairs(make_plan(request(dataset, out), model), model))
    assert [m.state for m in made] == ["made"] * 4 + ["failed"] * 2
    rows = table(out / "index.csv")
    assert [r["moving"] for r in rows] == [
        f"pairs/{n}-00{i}/moving.nii.gz" for n in ("anna", "bert") for i in (1, 2)
    ]
    assert {row["why"] for row in table(out / "failures.csv")} == {made[-1].message}
    for row in rows:
        for kind in ("moving", "fixed"):
            case = read_case(out / row[kind], out / row[f"{kind}-labels"])
            assert case.grid == read_case(row["source"]).grid
    assert len({(r["moving_level"], r["moving_seed"], r["seed"]) for r in rows}) == 4
    assert not list(out.rglob("*.partial"))


def test_a_stopped_run_goes_on_to_the_same_bits(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    for _ in make_pairs(make_plan(request(dataset, tmp_path / "whole"), model), model):
        pass
    stopped = tmp_path / "stopped"
    runs = make_pairs(make_plan(request(dataset, stopped), model), model)
    next(runs)
    runs.close()
    (stopped / "pairs" / ".x.partial").mkdir()
    made = list(make_pairs(make_plan(request(dataset, stopped, resume=True), model), model))
    assert [m.state for m in made] == ["kept"] + ["made"] * 3 + ["failed"] * 2
    assert tree(stopped) == tree(tmp_path / "whole")


@pytest.mark.slow
def test_workers_change_no_bit(dataset: Path, tmp_path: Path, named_model: Path) -> None:
    model = library.load_model(str(named_model), "cpu")
    for count in (1, 2):
        plan = make_plan(request(dataset, tmp_path / f"{count}", workers=count), model)
        made = list(make_pairs(plan, model))
        assert sorted(m.state for m in made) == ["failed"] * 2 + ["made"] * 4
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


def test_another_run_is_not_mixed_in(dataset: Path, tmp_path: Path) -> None:
    model, out = tiny.model(), tmp_path / "out"
    next(make_pairs(make_plan(request(dataset, out), model), model))
    with pytest.raises(InputError, match="not empty"):
        next(make_pairs(make_plan(request(dataset, out), model), model))
    other = request(dataset, out, between=(5, 6), resume=True)
    with pytest.raises(InputError, match="differs in between"):
        next(make_pairs(make_plan(other, model), model))


def test_draws_do_not_depend_on_what_else_is_there(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    few = make_plan(request(dataset, tmp_path, per_case=1), model).jobs
    many = make_plan(request(dataset, tmp_path, per_case=5), model).jobs
    named = {job.name: job for job in many}
    assert all(named[job.name] == job for job in few)
    assert len(read_dataset(dataset)) * 5 == len({(j.first.seed, j.second.seed) for j in many})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"per_case": 0}, "--per-case"),
        ({"workers": 0}, "--workers"),
        ({"levels": (70, 90)}, "level 90"),
        ({"split": "train"}, "--split"),
        ({"options": {"steps": 0}}, "--steps"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    dataset: Path, tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        make_plan(request(dataset, tmp_path / "out", **values), tiny.model())


def test_a_full_disk_stops_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_core.pairs.work.free_bytes", lambda folder: 10)
    model = tiny.model()
    with pytest.raises(InputError, match="disk is full"):
        list(make_pairs(make_plan(request(dataset, tmp_path / "out"), model), model))


@pytest.fixture
def named_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    made, path = tiny.model(), tmp_path / "models" / "tiny.safetensors"
    save_model(path, made.spec, made.network)
    monkeypatch.setattr(library, "user_folder", lambda: tmp_path / "models")
    return path


@pytest.mark.usefixtures("named_model")
def test_the_shell_makes_pairs_and_any_of_them_again(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["pairs", str(dataset), "--out", str(out), "--model", "tiny", "--per-case", "1"]
    assert drdm([*call, "--levels", "20:40", "--between", "10", "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["made"], summary["failed"]) == (2, 1)
    assert summary["failures"][0]["case"] == "cora"
    recipe = out / "pairs" / "bert-001" / "recipe.json"
    assert json.loads(recipe.read_text())["fixed"]["level"] == 10
    again = tmp_path / "again"
    assert drdm(["replay", str(recipe), "--out", str(again)]) == 0
    assert "same bits" in capsys.readouterr().out
    remade, there = tree(again), tree(recipe.parent)
    assert (
        json.loads(remade.pop("metrics.json")).items()
        >= json.loads(there.pop("metrics.json")).items()
    )
    assert remade == there
    assert drdm([*call, "--levels", "20:40"]) == 2
    assert "error: the folder is not empty" in capsys.readouterr().err


def test_what_came_from_no_file_is_written_beside(tmp_path: Path) -> None:
    case = tiny.case()
    pair = make_pair(case, tiny.model(), Options(level=9), Options(level=7))
    home = save_pair(pair, tmp_path / "pair")
    named = json.loads((home / "recipe.json").read_text())["inputs"]["arrays"]
    there = read_case(home / named["image"]["path"], home / named["labels"]["path"])
    assert digests(there) == digests(case)


@pytest.mark.slow
def test_the_page_of_pairs_says_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "pairs.md"
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
