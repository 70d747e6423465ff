"""Compiled loops against PyTorch: the same positions to 1e-5 voxel, the same labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from src_core.fields.sampling import (
    Mode,
    Padding,
    identity,
    labels_by_torch,
    sample,
    sample_by_torch,
    sample_inside,
    warp,
    warp_labels,
)

CASES = 1000
#: A linear image with this slope per voxel turns an error of position into one of value.
ALLOWED = 1e-5


def random_case(seed: int, ndim: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """A ramp along each axis (1, D, *in), labels, and positions in, at and out of the array."""
    rng = np.random.default_rng([seed, ndim])
    shape = tuple(int(n) for n in rng.integers(1, 9, ndim))
    out = tuple(int(n) for n in rng.integers(1, 7, ndim))
    ramp = identity(shape, torch.zeros(1, dtype=dtype))
    labels = torch.from_numpy(rng.choice([0, 1, 2, 7, 300], (1, 1, *shape)))
    size = np.array(shape).reshape(1, ndim, *[1] * ndim)
    at = rng.uniform(-2, size + 1, (2, ndim, *out))
    at = np.where(rng.random(at.shape) < 0.1, np.round(at * 2) / 2, at)
    return ramp, labels, torch.from_numpy(at).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ndim", [2, 3])
def test_random_cases_agree_with_torch(ndim: int, dtype: torch.dtype) -> None:
    paddings: tuple[Padding, ...] = ("border", "zeros")
    for seed in range(CASES // 2):
        ramp, labels, at = random_case(seed, ndim, dtype)
        padding = paddings[seed % 2]
        expected = sample_by_torch(ramp.expand(2, *ramp.shape[1:]), at, "linear", padding)
        # where values fade, an error of position weighs as much as the value
        scale = 1 if padding == "border" else max(ramp.shape[2:])
        difference = (sample(ramp, at, padding=padding) - expected).abs().max()
        assert float(difference) <= ALLOWED * scale
        assert_labels_agree(labels, at)


def assert_labels_agree(labels: Tensor, at: Tensor) -> None:
    """Equal but where two labels weigh the same to the rounding of the type."""
    ours, expected = warp_labels(labels, at), labels_by_torch(labels, at, "linear")
    for where in (ours != expected).nonzero().tolist():
        b, _, *place = where
        here = at[(slice(b, b + 1), slice(None), *[slice(p, p + 1) for p in place])]
        shares = [
            float(sample_by_torch((labels == v).double(), here.double(), "linear", "border"))
            for v in (ours[tuple(where)], expected[tuple(where)])
        ]
        assert shares[0] == pytest.approx(shares[1], abs=4e-6)


@pytest.mark.parametrize("ndim", [2, 3])
def test_labels_are_equal_off_ties_label_for_label(ndim: int) -> None:
    for seed in range(200):
        _, labels, at = random_case(seed, ndim, torch.float64)
        off_ties = (at * 2 - (at * 2).round()).abs().amin(1, keepdim=True) > 1e-3
        ours, expected = warp_labels(labels, at), labels_by_torch(labels, at, "linear")
        torch.testing.assert_close(ours[off_ties], expected[off_ties], rtol=0, atol=0)


@pytest.mark.parametrize("padding", ["border", "zeros"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_nearest_voxels_are_those_of_torch_off_ties(ndim: int, padding: Padding) -> None:
    for seed in range(100):
        ramp, _, at = random_case(seed, ndim, torch.float64)
        at = torch.where((at % 1 - 0.5).abs() < 1e-3, at + 0.1, at)
        expected = sample_by_torch(ramp.expand(2, *ramp.shape[1:]), at, "nearest", padding)
        torch.testing.assert_close(sample(ramp, at, "nearest", padding), expected)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("shape", [(7, 4), (5, 3, 6)])
def test_a_warp_samples_where_the_displacement_points(shape: tuple[int, ...], mode: Mode) -> None:
    source = torch.Generator().manual_seed(3)
    u = torch.randn(2, len(shape), *shape, generator=source, dtype=torch.float64) * 3
    image = torch.randn(2, 3, *shape, generator=source, dtype=torch.float64)
    expected = sample_by_torch(image, identity(shape, u) + u, mode, "border")
    torch.testing.assert_close(warp(image, u, mode), expected)


@pytest.mark.parametrize("ndim", [2, 3])
def test_what_lies_outside_gets_one_value(ndim: int) -> None:
    for seed in range(50):
        ramp, _, at = random_case(seed, ndim, torch.float64)
        expected = sample_inside(ramp, at, torch.tensor(-7.0, dtype=torch.float64))
        torch.testing.assert_close(sample_inside(ramp, at, -7.0), expected)


def test_positions_without_a_number_stay_in_the_array() -> None:
    image = torch.ones(1, 1, 3, 4)
    at = torch.tensor([float("nan"), float("inf"), -float("inf"), 3e38]).expand(1, 2, 1, 4)
    assert sample(image, at).tolist() == [[[[1.0] * 4]]]
    assert warp_labels(image.long(), at).tolist() == [[[[0] * 4]]]


def test_labels_of_more_than_32_bits_are_kept() -> None:
    labels = torch.tensor([[1 << 40, 5], [5, 5]])[None, None]
    at = torch.zeros(1, 2, 1, 1)
    assert warp_labels(labels, at).item() == 1 << 40


def test_gradients_pass_through_a_warp() -> None:
    u = torch.zeros(1, 2, 4, 5, requires_grad=True)
    image = identity((4, 5), u.detach())
    warp(image, u).sum().backward()  # type: ignore[no-untyped-call]
    assert u.grad is not None
    assert float(u.grad[..., 1:-1, 1:-1].sum()) == pytest.approx(12)
