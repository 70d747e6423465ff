"""Compiled warps of slices, by fields of their own or a coarser grid, against PyTorch's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from src_core.fields import enlarge
from src_core.fields.moved import warp_enlarged
from src_core.fields.sampling import Padding, identity, sample_by_torch, warp

both_paddings = pytest.mark.parametrize("padding", ["border", "zeros"])


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(2))


def field(*shape: int, size: float = 3.0) -> Tensor:
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(4))
    whole = torch.rand(shape, generator=torch.Generator().manual_seed(5)) < 0.2
    return torch.where(whole, (noise * size).round(), noise * size)


def by_torch(image: Tensor, u: Tensor, padding: Padding) -> Tensor:
    """In float64: that is exact here."""
    at = identity(u.shape[2:], u.double()) + u.double()
    image = image.double().expand(len(u), *image.shape[1:])
    return sample_by_torch(image, at, "linear", padding).float()


@both_paddings
@pytest.mark.parametrize("batch", [1, 2])
def test_a_warp_agrees_with_torch(padding: Padding, batch: int) -> None:
    for size in (0.4, 3.0, 40.0):
        image, u = images(batch, 3, 19, 26), field(2, 2, 19, 26, size=size)
        found = warp(image, u, padding=padding)
        torch.testing.assert_close(found, by_torch(image, u, padding), atol=2e-6, rtol=0)


@both_paddings
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_a_warp_by_a_coarser_field_is_that_by_the_enlarged_one(
    padding: Padding, factor: int
) -> None:
    image, u = images(1, 2, 12 * factor, 9 * factor), field(1, 2, 12, 9, size=1.0)
    found = warp_enlarged(image, u, "linear", padding)
    expected = by_torch(image, enlarge(u.double(), factor), padding)
    torch.testing.assert_close(found, expected, atol=5e-6, rtol=0)


def test_images_and_fields_may_have_different_shapes() -> None:
    image, u = images(1, 2, 7, 30), field(1, 2, 21, 11, size=5.0)
    found = warp(image, u, padding="zeros")
    torch.testing.assert_close(found, by_torch(image, u, "zeros"), atol=2e-6, rtol=0)


def test_shifts_by_whole_voxels_are_exact() -> None:
    image, u = images(1, 1, 9, 14), torch.zeros(1, 2, 9, 14)
    assert torch.equal(warp(image, u), image)
    u[:, 1] = 3
    expected = image.roll(-3, 3)
    expected[..., -3:] = 0
    assert torch.equal(warp(image, u, padding="zeros"), expected)


def test_far_displacements_and_no_numbers_stay_in_the_array() -> None:
    image, u = images(1, 1, 6, 5), torch.zeros(1, 2, 6, 5)
    u[0, :, 0] = torch.tensor([1e30, -1e30, float("inf"), -float("inf"), float("nan")])
    assert not warp(image, u, padding="zeros")[0, 0, 0].any()
    assert warp(image, u)[0, 0, 0].isfinite().all()


def test_bits_depend_neither_on_threads_nor_on_other_images() -> None:
    image, u = images(1, 5, 256, 300), field(1, 2, 64, 75)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(warp_enlarged(image, u, "linear", "zeros"))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[0][:, 2:3], warp_enlarged(image[:, 2:3], u, "linear", "zeros"))


def test_gradients_reach_the_image_and_the_field() -> None:
    image, u = images(1, 1, 8, 8).requires_grad_(), field(1, 2, 8, 8, size=0.3).requires_grad_()
    warp(image, u).sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert u.grad is not None
    assert bool(u.grad.any())
