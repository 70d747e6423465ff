"""Fields at affine positions by compiled loops, against PyTorch's sampling of every position."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.affine import sample_affine
from src_core.fields.sampling import positions, sample_by_torch

every_type = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SHAPES = [(7, 12), (1, 9), (5, 8, 11), (6, 1, 4)]


def random_map(ndim: int, seed: int) -> NDArray[np.float64]:
    """An affine map that leaves the grid on some sides."""
    rng = np.random.default_rng(seed)
    linear = np.eye(ndim) + rng.normal(0, 0.4, (ndim, ndim))
    return np.column_stack([linear, rng.normal(0, 4, ndim)])


def mapped(matrix: NDArray[np.float64], x: Tensor) -> Tensor:
    linear = torch.from_numpy(matrix)
    moved = torch.einsum("ij,bj...->bi...", linear[:, :-1], x)
    return moved + linear[:, -1].view(1, -1, *[1] * (x.dim() - 2))


@every_type
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    ndim, source = len(shape), torch.Generator().manual_seed(1)
    u = torch.randn(2, ndim, *shape, generator=source, dtype=torch.float64).to(dtype)
    part = [range(3, 9), range(-2, 6), range(4)][:ndim]
    scale = np.array([0.5, -2.0, 3.0])[:ndim]
    for seed in range(20):
        at, added = random_map(ndim, seed), random_map(ndim, seed + 100)
        x = positions(part, torch.zeros(1, dtype=torch.float64))
        where = mapped(at, x).expand(2, -1, *[-1] * ndim)
        values = sample_by_torch(u.double(), where, "linear", "border")
        expected = values * torch.from_numpy(scale).view(1, -1, *[1] * ndim) + mapped(added, x)
        found = sample_affine(u, at, part, scale, added)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, atol=1e-5 if dtype.itemsize == 4 else 1e-12)


def test_without_scale_and_addition_values_are_taken_as_they_are() -> None:
    u = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    part = [range(5), range(6)]
    assert torch.equal(sample_affine(u, np.eye(2, 3), part), u)
    flipped = [[-1, 0, 4], [0, 1, 0]]
    assert torch.equal(sample_affine(u, flipped, part), u.flip(2))


@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 6)])
def test_a_part_has_the_bits_of_the_whole(shape: tuple[int, ...]) -> None:
    ndim = len(shape)
    u = torch.randn(1, ndim, *shape, generator=torch.Generator().manual_seed(0)).double()
    at = random_map(ndim, 3)
    whole = sample_affine(u, at, [range(40) for _ in shape], added=at)
    some = sample_affine(u, at, [range(17, 31), range(2, 40), range(5, 9)][:ndim], added=at)
    assert torch.equal(
        some, whole[:, :, 17:31, 2:40, ...] if ndim == 2 else whole[:, :, 17:31, 2:40, 5:9]
    )


def test_a_field_that_needs_a_gradient_gets_it() -> None:
    u = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    values = sample_affine(u, random_map(2, 1), [range(5), range(6)], [2.0, 3.0], np.eye(2, 3))
    values.sum().backward()
    assert u.grad is not None
    np.testing.assert_allclose(u.grad.sum((0, 2, 3)), [60.0, 90.0], rtol=1e-5)
    again = sample_affine(
        u.detach(), random_map(2, 1), [range(5), range(6)], [2.0, 3.0], np.eye(2, 3)
    )
    np.testing.assert_allclose(again, values.detach(), atol=1e-5)
