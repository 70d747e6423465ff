"""Compiled magnitudes against their definition."""

from __future__ import annotations

import pytest
import torch

from src_core.fields import magnitude


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(7, 4), (5, 3, 6)])
@pytest.mark.parametrize("scaled", [False, True])
def test_magnitudes_are_euclidean(shape: tuple[int, ...], dtype: torch.dtype, scaled: bool) -> None:
    spacing = [0.7, 2.0, 3.5][: len(shape)] if scaled else None
    u = torch.randn(2, len(shape), *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    factors = torch.tensor(spacing or 1.0, dtype=dtype).view(-1, *[1] * len(shape))
    torch.testing.assert_close(magnitude(u, spacing), (u * factors).square().sum(1).sqrt())


def test_gradients_pass_through_a_magnitude() -> None:
    u = torch.full((1, 2, 3, 4), 3.0, requires_grad=True)
    magnitude(u).sum().backward()  # type: ignore[no-untyped-call]
    assert u.grad is not None
    torch.testing.assert_close(u.grad, torch.full_like(u, 0.5**0.5))
