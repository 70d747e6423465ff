"""Compiled composition and exponential against PyTorch's, at borders and beyond them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from src_core.fields import compose, exponential
from src_core.fields.sampling import identity, sample_by_torch

every_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SHAPES = [(2, 2), (9, 14), (2, 5, 3), (8, 13, 10)]


def random_field(shape: tuple[int, ...], dtype: torch.dtype, size: float, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    u = torch.randn(2, len(shape), *shape, generator=source, dtype=torch.float64)
    whole = torch.rand(u.shape, generator=source) < 0.2
    return torch.where(whole, (u * size).round(), u * size).to(dtype)


def by_torch(u: Tensor, v: Tensor) -> Tensor:
    return v + sample_by_torch(u, identity(u.shape[2:], u) + v, "linear", "border")


@every_type
@pytest.mark.parametrize("shape", SHAPES)
def test_composition_agrees_with_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    for seed in range(20):
        v = random_field(shape, dtype, 3.0, seed)
        u = identity(shape, v).expand_as(v) * 0.5
        # u has a slope of half a voxel per voxel: values are off by half the error of position
        np.testing.assert_allclose(compose(u, v), by_torch(u, v), atol=0.5e-5, rtol=0)


@every_type
def test_shifts_by_whole_voxels_are_exact(dtype: torch.dtype) -> None:
    u = random_field((9, 14), dtype, 2.0)
    v = torch.zeros_like(u)
    assert torch.equal(compose(u, v), u)
    v[:, 1] = 3
    expected = u.roll(-3, 3)
    expected[..., -3:] = u[..., -1:]
    assert torch.equal(compose(u, v), expected + v)


@every_type
@pytest.mark.parametrize("shape", SHAPES)
def test_exponential_agrees_with_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    velocity = random_field(shape, dtype, 0.2)
    u = velocity / 2**5
    for _ in range(5):
        u = by_torch(u, u)
    np.testing.assert_allclose(exponential(velocity, 5), u, atol=1e-5, rtol=0)
    assert torch.equal(exponential(velocity, 0), velocity)


def test_the_argument_of_an_exponential_stays_as_it_was() -> None:
    velocity = random_field((9, 14), torch.float64, 0.2)
    before = velocity.clone()
    exponential(velocity, 3)
    assert torch.equal(velocity, before)


def test_far_displacements_and_no_numbers_stay_in_the_array() -> None:
    u = torch.arange(12.0).view(1, 1, 3, 4).expand(1, 2, 3, 4)
    v = torch.zeros(1, 2, 3, 4)
    v[0, :, 0] = torch.tensor([1e30, -1e30, float("inf"), -float("inf")])
    v[0, 0, 1, 1] = float("nan")
    found = compose(u, v) - v
    assert found[0, 0, 0, :2].isfinite().all()
    assert compose(u, v)[0, 0, 2].tolist() == [8, 9, 10, 11]


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    u = random_field((60, 41, 50), torch.float32, 4.0)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(compose(u, u))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_a_field_in_a_batch_has_the_bits_that_it_has_alone() -> None:
    u = random_field((9, 8, 7), torch.float32, 2.0)
    assert torch.equal(exponential(u, 4)[1:], exponential(u[1:], 4))


def test_gradients_pass_through_an_exponential() -> None:
    velocity = torch.zeros(1, 2, 6, 5, requires_grad=True)
    exponential(velocity, 3).sum().backward()  # type: ignore[no-untyped-call]
    assert velocity.grad is not None
    assert float(velocity.grad.sum()) == pytest.approx(60)
