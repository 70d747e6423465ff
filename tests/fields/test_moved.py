"""Images and labels moved by a displacement in one pass, against PyTorch's sampling.

Half a voxel away, labels tie: there the compiled vote is compared, whose rule is the same.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from src_core.fields.moved import displaced, moved_images, moved_slices
from src_core.fields.sampling import inside, labels_by_torch, sample_by_torch, warp_labels


def field(shape: tuple[int, ...], seed: int) -> Tensor:
    """Some displacements of whole and half voxels, some far outside."""
    source = torch.Generator().manual_seed(seed)
    u = 4 * torch.randn(1, 2, *shape, generator=source)
    return torch.where(torch.rand(u.shape, generator=source) < 0.3, (2 * u).round() / 2, u)


@pytest.mark.parametrize("shape", [(13, 18), (1, 9), (2, 2)])
def test_images_agree_with_torch(shape: tuple[int, ...]) -> None:
    images = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    outside = torch.tensor([-7.0, 0.0, 5.0])
    for seed in range(20):
        u = field(shape, seed)
        at = displaced(u)
        expected = sample_by_torch(images.double(), at.double(), "linear", "border")
        within = inside(at, shape)[:, None]
        expected = torch.where(within, expected, outside.double().view(1, 3, 1, 1))
        found = moved_images(images, u, outside, "linear")
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert 0 < within.sum() < within.numel() or min(shape) < 3


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_labels_agree_with_torch(dtype: torch.dtype) -> None:
    source, shape = torch.Generator().manual_seed(0), (13, 18)
    labels = torch.randint(0, 5, (1, 2, *shape), generator=source, dtype=dtype)
    for seed in range(20):
        u = field(shape, seed)
        found = moved_slices(labels, u, "linear")
        assert found is not None
        for channel in range(2):
            one, at = labels[:, channel : channel + 1], displaced(u)
            new = found[:, channel : channel + 1].long()
            assert torch.equal(new, warp_labels(one, at))
            slow, halves = labels_by_torch(one, at.double(), "linear"), (2 * at) % 1 == 0
            assert torch.equal(new[~halves.any(1, True)], slow[~halves.any(1, True)])


def test_what_the_loops_do_not_take_is_left_to_others() -> None:
    u = field((5, 6), 0)
    labels = torch.zeros(1, 1, 5, 6, dtype=torch.int64)
    assert moved_slices(labels, u, "linear") is None
    assert moved_slices(labels.to(torch.uint8), u, "nearest") is None
    images = torch.randn(1, 1, 5, 6, requires_grad=True)
    moved_images(images, 0.3 * torch.ones_like(u), torch.zeros(1), "linear").sum().backward()
    assert images.grad is not None and float(images.grad.sum()) > 0
