"""Batches: one resampling by SciPy as an oracle, draws that all methods share, poses by hand."""

from __future__ import annotations

from math import cos, log, radians, sin

import numpy as np
import pytest
import torch
from scipy import ndimage

from src_core.tasks.segmentation import pose
from src_core.tasks.segmentation.batches import Batches
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.methods import METHODS, Method
from tests.support.segmentations import CROP, store


def batches(method: str | Method, seed: int = 3, crop: CropGrid = CROP) -> Batches:
    chosen = METHODS[method] if isinstance(method, str) else method
    return Batches(store(crop), ["a", "b"], chosen, steps=4, batch=3, seed=seed)


def at(step: int) -> torch.Tensor:
    return torch.tensor([step])


def test_pose_and_field_are_composed_and_sampled_once_as_scipy_does_it():
    made = batches(Method("common", "drdm"))
    image, classes = made(at(1))
    draws, slices, fields = (
        getattr(made._draws, name)[1] for name in ("uniform", "slices", "fields")
    )
    grid = (np.indices((32, 32)) - 15.5) * 1.5
    for index in range(3):
        u = draws[index].double().numpy()
        angle, scale = radians(30) * (2 * u[0] - 1), np.exp(log(0.7) + u[2] * log(2))
        matrix = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]) / scale
        position = np.einsum("ij,jxy->ixy", matrix, grid) + 20 * (2 * u[4:6, None, None] - 1)
        field = made._bank[fields[index]].double().numpy()
        moved = position + np.stack(
            [ndimage.map_coordinates(c, position / 3 + 7.5, order=1, mode="nearest") for c in field]
        )
        planes = made._store.planes[slices[index]].double().numpy()
        where = moved / 1.5 + (CROP.canvas - 1) / 2
        sampled = [ndimage.map_coordinates(p, where, order=1, mode="nearest") for p in planes]
        assert np.abs(sampled[0] - image[index, 0].numpy()).max() < 1e-3
        expected = np.argmax([1 - sampled[1] - sampled[2], *sampled[1:]], 0)
        assert (expected != classes[index].numpy()).mean() < 2e-3


@pytest.mark.parametrize("method", METHODS)
def test_batches_follow_from_the_seed_and_leave_global_random_states_alone(method):
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    crop = CropGrid(48, 1.5) if method == "bigaug" else CROP
    one, other = batches(method, crop=crop), batches(method, crop=crop)
    other(at(0))
    for ours, theirs in zip(one(at(2)), other(at(2)), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(one(at(2))[0], batches(method, seed=4, crop=crop)(at(2))[0])
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()
    assert one(at(1))[1].unique().tolist() in ([0, 1, 2], [0, 1])


def test_every_method_draws_the_same_slices():
    drawn = [batches(method)._draws for method in METHODS]
    assert all(torch.equal(drawn[0].slices, d.slices) for d in drawn)
    assert all(torch.equal(drawn[0].uniform, d.uniform) for d in drawn)


def test_without_augmentation_a_batch_holds_the_crop_of_its_slices():
    made = batches("none")
    image, classes = made(at(0))
    for index, slice_of in enumerate(made._draws.slices[0]):
        planes = made._store.planes[slice_of].float()[:, CROP.inner, CROP.inner]
        assert torch.allclose(image[index, 0], planes[0], atol=2e-3)
        assert torch.equal(classes[index] > 0, planes[1:].sum(0) > 0.5)


def test_a_mirror_and_a_chance():
    positions = torch.tensor([[[1.0, 2.0]], [[3.0, -4.0]]])
    still = torch.full((1, 8), 0.99)
    assert torch.allclose(pose.posed(pose.POSES["nnunet"], positions, still)[0], positions)
    mirrored = still.clone()
    mirrored[0, 6] = 0.1
    found = pose.posed(pose.POSES["nnunet"], positions, mirrored)[0]
    assert torch.allclose(found, positions * torch.tensor([-1.0, 1.0])[:, None, None])
    turned = still.clone()
    turned[0, :2] = torch.tensor([0.75, 0.1])  # 90 degrees of 180
    found = pose.posed(pose.POSES["nnunet"], positions, turned)[0]
    assert torch.allclose(found, torch.stack([-positions[1], positions[0]]), atol=1e-5)


def test_bigaugs_elastic_deformation_has_its_deviation():
    made = Batches(store(CropGrid(96, 2.0)), ["a"], METHODS["bigaug"], steps=1, batch=1, seed=1)
    weights = made._spline
    points = torch.randn(4000, weights.shape[1], weights.shape[1])
    moved = weights @ points @ weights.T
    assert float(moved.std()) == pytest.approx(2.2 * 2.0, rel=0.03)
