"""Deformations applied: on every grid, forth and back, images and labels, as plain tensors."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import ArgumentError, InputError
from src_core.fields.sampling import identity, warp
from src_core.fields.warp_case import warp_case
from src_core.transforms import (
    Deformation,
    Placed,
    Scan,
    deform,
    random_deform,
)
from tests.support.deformations import itk, numbers
from tests.support.loops import SHAPE, ball, live, scan, untouched


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
    with pytest.raises(InputError, match="does not overlap"):
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


def test_a_deformation_is_the_same_when_pickled(folder: Path) -> None:
    one = scan()
    made = live(folder).make(one, 33, 9)
    assert repr(made) == "Deformation(level=33, seed=9, of 40 x 52 x 6)"
    for again in (pickle.loads(pickle.dumps(made)), Deformation.from_dict(made.as_dict())):
        assert np.array_equal(again.field(), made.field())
        assert (again.level, again.seed, again.grid) == (33, 9, one.grid)
    volume = live(folder, 3).make(one, 33, 9)
    assert Deformation.from_dict(volume.as_dict()).axis is None


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


def test_wrong_calls_are_reported(folder: Path) -> None:
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
