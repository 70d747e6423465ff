"""Points of a sample: on their tissue after a deformation, against SimpleITK, and back again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src_core.cases.grid import RAS_TO_LPS
from src_core.errors import ArgumentError
from src_core.transforms import Deformation, Live, deform_points, random_deform
from tests.support import tiny
from tests.support.deformations import itk, numbers
from tests.support.loops import SHAPE, live, scan

AFFINE = np.array(tiny.OBLIQUE, dtype=np.float64)


def voxels(count: int = 40) -> np.ndarray:
    """Places well inside the image, voxels."""
    size = np.array(SHAPE) - 1
    return np.random.default_rng(3).uniform(0.3 * size, 0.7 * size, size=(count, 3))


def world(places: np.ndarray) -> np.ndarray:
    return places @ AFFINE[:3, :3].T + AFFINE[:3, 3]


def there(made: Deformation, ras: np.ndarray) -> np.ndarray:
    """Where SimpleITK takes points (RAS mm) of the new image to."""
    field = itk(made.field().astype(np.float64), made.grid, vector=True)
    transform = sitk.DisplacementFieldTransform(field)
    lps = [transform.TransformPoint(p) for p in (ras * RAS_TO_LPS).tolist()]
    return np.array(lps) * RAS_TO_LPS


@pytest.mark.parametrize("ndim", [2, 3])
def test_points_go_where_simpleitk_comes_from(folder: Any, ndim: int) -> None:
    made = live(folder, ndim).make(scan(), 60, 4)
    given = torch.from_numpy(world(voxels()))
    moved = deform_points(given, made)
    assert moved.dtype == torch.float64 and (moved - given).abs().max() > 1
    assert np.abs(there(made, moved.numpy()) - given.numpy()).max() < 0.01
    assert (deform_points(moved, made, inverse=True) - given).abs().max() < 1e-5


def test_spaces_shapes_and_types(maker: Live) -> None:
    made = maker.make(scan(), 60, 4)
    places = voxels(6)
    straight = deform_points(world(places), made).numpy()
    back = np.linalg.inv(AFFINE)
    in_voxels = deform_points(places.reshape(2, 3, 3), made, space="voxels").reshape(-1, 3)
    assert np.allclose(in_voxels, straight @ back[:3, :3].T + back[:3, 3], atol=1e-5)
    lps = deform_points(world(places) * RAS_TO_LPS, made, space="LPS")
    assert np.allclose(lps.numpy() * RAS_TO_LPS, straight, atol=1e-5)
    single = deform_points(torch.from_numpy(world(places)).float()[0], made)
    assert single.dtype == torch.float32 and np.allclose(single, straight[0], atol=1e-3)
    assert deform_points(torch.zeros(0, 3), made).shape == (0, 3)
    for wrong, text in (((1, 4), "must be"), ((1, 3), "must be of RAS, LPS, voxels")):
        with pytest.raises(ArgumentError, match=text):
            deform_points(torch.zeros(wrong), made, space="RAS" if wrong[1] == 4 else "mm")


def test_a_picture_and_an_image_without_an_affine(maker: Live) -> None:
    image = torch.from_numpy(scan().image[..., 1])[None]
    made = random_deform(image, source=maker, generator=numbers(), spacing=1.5).deformation
    flat = voxels(5)[:, :2]
    moved = deform_points(flat, made, space="voxels")
    assert moved.shape == (5, 2) and np.abs(moved.numpy() - flat).max() > 0.2
    same = deform_points(flat, made, affine=np.eye(3), space="RAS")  # its world is its voxels
    assert np.allclose(same, moved)
    assert np.allclose(deform_points(moved, made, space="voxels", inverse=True), flat, atol=1e-5)


def test_a_pose_moves_points_too(maker: Live) -> None:
    one = scan()
    image = torch.from_numpy(one.image)[None]
    made = random_deform(
        image, source=maker, generator=numbers(2), affine=one.grid.affine, pose="nnunet"
    ).deformation
    given = world(voxels())
    moved = deform_points(given, made).numpy()
    grid = np.linalg.inv(AFFINE)
    inside = moved @ grid[:3, :3].T + grid[:3, 3]
    kept = ((inside >= 0) & (inside <= np.array(SHAPE) - 1)).all(axis=1)
    assert kept.any() and np.abs(there(made, moved) - given)[kept].max() < 0.01


def test_monai_moves_points_and_undoes_it(maker: Live) -> None:
    pytest.importorskip("monai", exc_type=ImportError)
    from tests.support.monai_samples import randomly, sample

    given = torch.from_numpy(world(voxels())).float()[None]
    data = {**sample(), "marks": given.clone(), "array": given[0].numpy()}
    transform = randomly(maker, point_keys=("marks", "array"))
    new = transform(data)
    trace = new["image"].applied_operations[-1]["extra_info"]["deformation"]
    exact = deform_points(given, Deformation.from_dict(trace))
    assert torch.allclose(new["marks"], exact) and new["marks"].shape == given.shape
    assert isinstance(new["array"], np.ndarray) and np.allclose(new["array"], exact[0])
    assert (exact - given).abs().max() > 1 and torch.equal(data["marks"], given)
    back = transform.inverse(new)
    assert (back["marks"] - given).abs().max() < 1e-3
    still = randomly(maker, prob=0.0, point_keys="marks")
    assert torch.equal(still.inverse(still(data))["marks"], given)
    with pytest.raises(KeyError):
        randomly(maker, point_keys="none")(data)
    randomly(maker, point_keys="none", allow_missing_keys=True)(data)


def test_torchio_moves_points_and_undoes_it(maker: Live) -> None:
    tio = pytest.importorskip("torchio", exc_type=ImportError)
    from src_core.transforms import RandomDRDM

    one = scan()
    given = torch.from_numpy(world(voxels()))
    image = tio.ScalarImage(tensor=torch.from_numpy(one.image)[None], affine=one.grid.affine)
    subject = tio.Subject(scan=image, marks=given.clone())
    new = RandomDRDM(maker, seed=1, points=("marks",))(subject)
    exact = deform_points(given, new.history[-1].deformation)
    assert torch.allclose(new.marks, exact) and (exact - given).abs().max() > 1
    assert torch.equal(subject.marks, given)
    again = new.history[-1](subject)
    assert torch.equal(again.marks, new.marks)
    back = new.apply_inverse_transform(warn=False)
    assert (back.marks - given).abs().max() < 1e-5
