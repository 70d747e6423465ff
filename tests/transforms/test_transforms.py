"""Deformations in a training loop: the same field as generate's, on every grid, forth and back."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given
from hypothesis import strategies as st

from src_core import generate, load_model
from src_core.augment.levels import draw
from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import ArgumentError, InputError
from src_core.fields.sampling import identity, warp, warp_labels
from src_core.fields.warp_case import warp_case
from src_core.transforms import (
    Bank,
    Deformation,
    Live,
    Placed,
    Scan,
    deform,
    make_bank,
    random_deform,
)
from src_core.transforms.labels import labels_at
from src_core.transforms.sources import as_source
from src_core.transforms.tensors import below_of
from tests.support import tiny
from tests.support.loops import SHAPE, ball, live, scan, untouched


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def numbers(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def case_of(one: Scan) -> Case:
    labels = (one.image > 50).astype(np.uint8) + 2 * (one.image > 90).astype(np.uint8)
    return Case.from_arrays(one.image, labels, affine=one.grid.affine)


def itk(array: np.ndarray, grid: Grid, vector: bool = False) -> sitk.Image:
    image = sitk.GetImageFromArray(np.moveaxis(array, (0, 1, 2), (2, 1, 0)), isVector=vector)
    image.SetSpacing(grid.spacing)
    image.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    return image


@pytest.mark.parametrize(
    ("ndim", "slices", "steps"),
    [(2, "shared", None), (2, "shared", 5), (2, "each", 3), (3, "shared", 2)],
)
def test_a_live_deformation_is_what_generate_makes(
    folder: Path, ndim: int, slices: Any, steps: int | None
) -> None:
    maker = live(folder, ndim, slices=slices, steps=steps)
    case = case_of(scan())
    made = maker.make(Scan(case.image, case.grid), 60, 7)
    options = {"level": 60, "seed": 7, "slices": slices, "steps": steps}
    result = generate(case, load_model(maker.model, "cpu"), **options)
    assert np.array_equal(made.field(), result.displacement)
    assert result.metrics["max_mm"] > 1
    assert made.u.shape[:2] == (SHAPE[2] if slices == "each" else 1, ndim)
    placed = made.on(case.grid)
    moved = placed.image(torch.from_numpy(case.image)[None])[0].numpy()
    assert np.abs(moved - result.case.image).max() < 2e-3
    maps = placed.labels(torch.from_numpy(case.label_map)[None])[0].numpy()
    assert maps.dtype == np.uint8
    assert (maps != result.case.label_map).mean() < 1e-4
    assert len(np.unique(maps)) == 3


def test_what_comes_near_to_folding_is_guarded_as_by_generate(folder: Path) -> None:
    case, maker = case_of(scan((48, 64, 1))), live(folder, steps=2)
    one, model = Scan(case.image, case.grid), load_model(maker.model, "cpu")
    guarded = set()
    for seed in range(6):
        result = generate(case, model, level=80, seed=seed, steps=2)
        assert np.array_equal(maker.make(one, 80, seed).field(), result.displacement)
        guarded.add(result.metrics["guard_scale"] < 1)
    assert guarded == {True, False}


@pytest.mark.parametrize("ndim", [2, 3])
def test_channels_types_and_what_is_outside(folder: Path, ndim: int) -> None:
    one = scan()
    made = live(folder, ndim).make(one, 70, 3)
    placed = made.on(one.grid)
    ct = torch.from_numpy(one.image) - 1000
    both = torch.stack([ct, torch.from_numpy(one.image)])
    moved = placed.image(both)
    for channel, values in zip(moved, both, strict=True):
        case = Case.from_arrays(values.numpy(), affine=one.grid.affine)
        assert np.allclose(channel, warp_case(case, made.field()).image, atol=5e-3)
    for dtype in (torch.uint8, torch.int16, torch.float16, torch.float64, torch.bool):
        assert placed.image(both.abs().to(dtype)).dtype == dtype
        assert placed.labels((both > 0).to(dtype)).dtype == dtype
    exact = placed.image(both.double())
    assert torch.allclose(exact.float(), moved, atol=5e-3)


@given(
    st.sampled_from([(2, 2), (5, 7), (1, 6), (4, 3, 5), (6, 2, 1)]),
    st.integers(0, 10**6),
    st.sampled_from(["linear", "nearest"]),
)
def test_labels_are_those_of_every_cell(shape: tuple[int, ...], seed: int, mode: Any) -> None:
    numbers = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (2, 1, *shape), generator=numbers)
    labels[0, 0, : shape[0] // 2 + 1] = 3
    size = torch.tensor(shape).view(1, -1, *[1] * len(shape))
    at = torch.rand(2, len(shape), *[9] * len(shape), generator=numbers) * (size + 2) - 1.5
    assert torch.equal(labels_at(labels, at, mode), warp_labels(labels, at, mode))
    both = torch.cat([labels, 3 - labels], 1).to(torch.int16)
    expected = torch.cat([warp_labels(c, at, mode) for c in both.split(1, 1)], 1)
    assert torch.equal(labels_at(both, at, mode).long(), expected)


def test_one_hot_labels_move_as_the_map_does(folder: Path) -> None:
    one = scan()
    placed = live(folder).make(one, 60, 2).on(one.grid)
    label_map = torch.from_numpy((one.image > 50).astype(np.float32))[None]
    hot = torch.cat([1 - label_map, label_map])
    moved = placed.labels(hot)
    assert torch.equal(moved[1:], placed.labels(label_map))
    assert (moved.sum(0) <= 1).all()


def turned(one: Scan) -> tuple[np.ndarray, np.ndarray]:
    """The same image with its axes (Z, -Y, X), and its affine."""
    image = np.ascontiguousarray(one.image.transpose(2, 1, 0)[:, ::-1])
    to_old = np.array(
        [[0, 0, 1, 0], [0, -1, 0, one.image.shape[1] - 1], [1, 0, 0, 0], [0, 0, 0, 1]]
    )
    return image, one.grid.affine @ to_old


@pytest.mark.parametrize(("ndim", "slices"), [(2, "shared"), (2, "each"), (3, "shared")])
def test_turning_the_image_turns_the_result(folder: Path, ndim: int, slices: str) -> None:
    one = scan()
    made = live(folder, ndim, slices=slices).make(one, 60, 5)
    image, affine = turned(one)
    placed = made.on(Grid(image.shape, affine))  # type: ignore[arg-type]
    straight = made.on(one.grid).image(torch.from_numpy(one.image)[None])[0].numpy()
    moved = placed.image(torch.from_numpy(image.copy())[None])[0].numpy()
    assert np.abs(moved - straight.transpose(2, 1, 0)[:, ::-1]).max() < 0.01
    assert (placed.axis is None) == (ndim == 3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_on_a_finer_part_it_does_what_simpleitk_does(folder: Path, ndim: int) -> None:
    one = scan()
    made = live(folder, ndim).make(one, 60, 5)
    affine = one.grid.affine @ np.diag([0.6, 0.7, 0.8, 1.0])
    affine[:3, 3] = (one.grid.affine @ [4, 6, 1, 1])[:3]
    part = Grid((50, 44, 4), affine)
    image = sitk.GetArrayFromImage(
        sitk.Resample(itk(one.image, one.grid), itk(np.zeros(part.shape), part))
    )
    image = np.moveaxis(image, (0, 1, 2), (2, 1, 0)).astype(np.float32)
    moved = made.on(part).image(torch.from_numpy(image)[None])[0].numpy()
    field = itk(made.field().astype(np.float64), one.grid, vector=True)
    oracle = sitk.Resample(
        itk(image, part), itk(image, part), sitk.DisplacementFieldTransform(field), sitk.sitkLinear
    )
    oracle_array = np.moveaxis(sitk.GetArrayFromImage(oracle), (0, 1, 2), (2, 1, 0))
    both = (oracle_array > 0) & (moved > 0)
    assert both.mean() > 0.8
    assert np.abs(moved - oracle_array)[both].max() < 0.02


def test_a_lost_affine_is_the_same_grid_and_a_far_one_is_refused(folder: Path) -> None:
    one = scan()
    made = live(folder).make(one, 60, 5)
    assert torch.equal(made.on(Grid(SHAPE, np.eye(4))).u, made.on(one.grid).u)
    far = np.array(one.grid.affine)
    far[0, 3] += 1e4
    with pytest.raises(InputError, match="elsewhere"):
        made.on(Grid(SHAPE, far))
    with pytest.raises(InputError, match="no affine and another shape"):
        made.on(Grid((40, 51, 6), np.eye(4)))
    with pytest.raises(InputError, match="40 x 51 x 6 without an affine"):
        deform(torch.zeros(1, 40, 51, 6), made)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_way_back_is_a_true_inverse(folder: Path, ndim: int) -> None:
    one = scan()
    made = live(folder, ndim).make(one, 60, 4)
    there, back = Placed(made._voxels(torch.float64), made.axis), made.on(one.grid, inverse=True)
    at = identity(back.u.shape[2:], back.u) + back.u
    again = back.u + warp(there.u, back.u)
    size = torch.tensor(back.u.shape[2:]).view(1, -1, *[1] * ndim)
    inside = ((at >= 0) & (at <= size - 1)).all(1)
    assert inside.float().mean() > 0.5
    assert again.norm(dim=1)[inside].max() < 1e-3
    assert back.u.norm(dim=1).max() > 1


def test_gradients_reach_the_image(folder: Path) -> None:
    one = scan()
    image = torch.from_numpy(one.image)[None].requires_grad_()
    moved = random_deform(
        image, source=live(folder), generator=numbers(), affine=one.grid.affine
    ).image
    moved.sum().backward()
    assert image.grad is not None
    assert image.grad.sum() == pytest.approx(image.numel(), rel=0.3)


def test_a_deformation_travels_whole(folder: Path) -> None:
    one = scan()
    made = live(folder).make(one, 33, 9)
    assert repr(made) == "Deformation(level=33, seed=9, of 40 x 52 x 6)"
    for again in (pickle.loads(pickle.dumps(made)), Deformation.from_dict(made.as_dict())):
        assert np.array_equal(again.field(), made.field())
        assert (again.level, again.seed, again.grid) == (33, 9, one.grid)
    volume = live(folder, 3).make(one, 33, 9)
    assert Deformation.from_dict(volume.as_dict()).axis is None


def test_a_draw_depends_on_its_numbers_alone(folder: Path) -> None:
    one, maker = scan(), live(folder, levels=(20, 40))
    with untouched():
        first = maker(one, below_of(numbers(3)))
        assert np.array_equal(maker(one, below_of(numbers(3))).u, first.u)
        drawn = {(d.level, d.seed) for d in (maker(one, below_of(numbers(s))) for s in range(6))}
    assert len(drawn) == 6
    assert all(20 <= level <= 40 for level, _ in drawn)


def test_loading_and_drawing_leave_all_global_random_numbers_alone(tmp_path: Path) -> None:
    maker = live(tmp_path)
    with untouched():
        made = maker(scan(), below_of(numbers()))
        made.on(made.grid, inverse=True)
        list(make_bank({"p1": case_of(scan())}, tmp_path / "bank", maker, per_case=1))
        Bank(tmp_path / "bank")(scan(name="p1"), below_of(numbers()))


def test_images_that_a_loop_may_meet(folder: Path) -> None:
    maker = live(folder)
    empty = Scan(np.full(SHAPE, 7, np.int16), scan().grid)
    assert np.isfinite(maker.make(empty, 40, 1).u).all()
    assert not maker.make(scan(), 0, 1).u.any()
    broken = ball()
    broken[3, 3, 3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        maker.make(Scan(broken, scan().grid), 40, 1)
    with pytest.raises(InputError, match="level 99"):
        maker.make(scan(), 99, 1)


def test_pictures_and_volumes_as_plain_tensors(folder: Path) -> None:
    maker = live(folder)
    picture = torch.from_numpy(ball((40, 52)))[None]
    labels = (picture > 50).long()
    with untouched():
        made = random_deform(picture, labels, source=maker, generator=numbers(), spacing=(1.2, 0.9))
    assert made.image.shape == picture.shape
    assert made.labels is not None
    assert set(made.labels.unique().tolist()) == {0, 1}
    assert (made.labels.bool() == (made.image > 50)).float().mean() > 0.98
    assert torch.equal(deform(picture, made.deformation), made.image)
    assert torch.equal(deform(labels, made.deformation, mode="labels"), made.labels)
    cubic = deform(picture, made.deformation, mode="cubic")
    assert 0 < (cubic - made.image).abs().mean() < 1
    back = deform(made.image, made.deformation, inverse=True)
    middle = (slice(None), slice(10, -10), slice(10, -10))
    assert (back - picture)[middle].abs().mean() < 0.1 * (made.image - picture)[middle].abs().mean()


def test_wrong_calls_are_told(folder: Path) -> None:
    picture = torch.zeros(1, 40, 52)
    with pytest.raises(ArgumentError, match="labels"):
        random_deform(picture, torch.zeros(1, 40, 51), source=live(folder), generator=numbers())
    with pytest.raises(ArgumentError, match="C, X, Y"):
        random_deform(torch.zeros(40, 52), source=live(folder), generator=numbers())
    with pytest.raises(ArgumentError, match="both"):
        random_deform(
            picture, source=live(folder), generator=numbers(), affine=np.eye(4), spacing=1
        )
    with pytest.raises(InputError, match="no model called nothing"):
        random_deform(picture, source="nothing", generator=numbers())


def test_a_bank_holds_what_augment_draws(folder: Path, tmp_path: Path) -> None:
    maker = live(folder, levels=(30, 50))
    cases = {"p1": case_of(scan()), "p2": case_of(scan((44, 36, 3)))}
    with untouched():
        states = [(s.name, s.state) for s in make_bank(cases, tmp_path, maker, per_case=3, seed=5)]
    assert states == [("p1", "made"), ("p2", "made")]
    bank = Bank(tmp_path)
    assert bank.names == ("p1", "p2")
    assert bank.count("p2") == 3
    level, seed = draw(5, "p2", 2, (30, 50))
    kept = bank.get("p2", 1)
    made = maker.make(Scan(cases["p2"].image, cases["p2"].grid), level, seed)
    assert (kept.level, kept.seed) == (level, seed)
    assert np.array_equal(kept.field(), made.field())
    drawn = {bank(scan(name="p1"), below_of(numbers(s))).seed for s in range(20)}
    assert drawn == {bank.get("p1", i).seed for i in range(3)}
    assert [s.state for s in make_bank(cases, tmp_path, maker, per_case=3, seed=5)] == ["kept"] * 2
    with pytest.raises(InputError, match="made otherwise"):
        list(make_bank(cases, tmp_path, maker, per_case=4, seed=5))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p1.safetensors", "p2.safetensors"]


def test_a_bank_of_files_knows_them_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nibabel as nib

    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        image = nib.Nifti1Image(ball(), tiny.OBLIQUE @ np.diag([1, 1, 1 + (patient == "p2"), 1]))
        nib.save(image, tmp_path / patient / "scan.nii.gz")
    table = tmp_path / "cases.csv"
    table.write_text("image\np1/scan.nii.gz\np2/scan.nii.gz\n")
    out = tmp_path / "bank"
    assert {s.state for s in make_bank(table, out, live(folder), per_case=2)} == {"made"}
    bank = as_source(out)
    assert isinstance(bank, Bank)
    assert bank.names == ("p1-scan", "p2-scan")
    assert bank.find(str(tmp_path / "p2" / "scan.nii.gz")) == "p2-scan"
    assert bank.find("p1-scan") == "p1-scan"
    monkeypatch.chdir(tmp_path / "p1")
    assert bank.find("scan_0000.nii.gz") == bank.find("scan.nii.gz") == "p1-scan"
    for name in ("", "scan", str(tmp_path / "p3" / "scan.nii.gz")):
        with pytest.raises(InputError, match="p1-scan, p2-scan"):
            bank.find(name)


def test_a_case_that_fails_stops_no_other(folder: Path, tmp_path: Path) -> None:
    flat = Case.from_arrays(np.eye(20)[..., None], spacing=1)
    cases = {"flat": flat, "p1": case_of(scan())}
    told = list(make_bank(cases, tmp_path, live(folder, 3), per_case=1))
    assert [t.state for t in told] == ["failed", "made"]
    assert "volume" in told[0].message
    (tmp_path / "p1.safetensors").write_bytes(b"half of it")
    with pytest.raises(InputError, match="cannot be read"):
        Bank(tmp_path).get("p1", 0)
    with pytest.raises(InputError, match="no deformations here"):
        Bank(tmp_path / "none").names  # noqa: B018


def test_sources_are_small_to_send(folder: Path, tmp_path: Path) -> None:
    maker = live(folder)
    maker.loaded()
    assert len(pickle.dumps(maker)) < 1000
    assert pickle.loads(pickle.dumps(maker)) == maker == Live(maker.model)
    list(make_bank({"p1": case_of(scan())}, tmp_path, maker, per_case=1))
    bank = Bank(tmp_path)
    bank.get(bank.names[0], 0)
    assert len(pickle.dumps(bank)) < 1000
    values = torch.from_numpy(ball())[None]
    unplaced = random_deform(values, source=bank, generator=numbers(), name="p1")
    placed = random_deform(values, source=bank, generator=numbers(), name="p1", affine=tiny.OBLIQUE)
    assert torch.equal(unplaced.image, placed.image)


def test_neither_monai_nor_torchio_is_loaded_for_tensors() -> None:
    code = (
        "import sys; from src_core.transforms import Bank, Live, random_deform;"
        "print({'monai', 'torchio', 'SimpleITK', 'napari'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stdout.strip() == "set()"


def test_a_missing_package_is_named() -> None:
    code = "import sys; sys.modules['torchio'] = None; from src_core.transforms import RandomDRDM"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert 'pip install "napari-drdm[torchio]"' in ran.stderr
