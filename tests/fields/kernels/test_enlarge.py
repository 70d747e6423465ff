"""Maps on finer grids: the loops against PyTorch's interpolation."""

from __future__ import annotations

import pytest
import torch

from src_core.fields import enlarge
from src_core.fields.algebra import enlarge_by_torch


def field(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=dtype)


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(1, 3, 5, 9, 7), (2, 3, 4, 1, 6), (1, 2, 6, 11)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_finer_grid_holds_pytorch_s_values(
    factor: int, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    u = field(*shape, dtype=dtype)
    found, wanted = enlarge(u, factor), enlarge_by_torch(u, factor)
    assert found.shape == wanted.shape and found.dtype == dtype
    close = 4e-6 if dtype == torch.float32 else 1e-13
    assert float((found - wanted).abs().max()) < close * factor


def test_an_affine_map_stays_itself_between_voxel_centres() -> None:
    x, y, z = torch.meshgrid(
        *[torch.arange(n, dtype=torch.float64) for n in (6, 5, 4)], indexing="ij"
    )
    u = torch.stack([x + 2 * y, z - x, 3 * z])[None]
    fine = enlarge(u, 4)
    at = (torch.arange(8, 12, dtype=torch.float64) + 0.5) / 4 - 0.5
    a, b, c = torch.meshgrid(at, at, at, indexing="ij")
    wanted = 4 * torch.stack([a + 2 * b, c - a, 3 * c])[None]
    torch.testing.assert_close(fine[..., 8:12, 8:12, 8:12], wanted, rtol=0, atol=1e-12)


def test_bits_do_not_depend_on_threads_or_batch() -> None:
    u = field(3, 3, 20, 17, 18)
    before, whole = torch.get_num_threads(), enlarge(u, 4)
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            assert torch.equal(enlarge(u, 4), whole)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.cat([enlarge(one[None], 4) for one in u]), whole)


def test_gradients_pass_through_pytorch() -> None:
    u = field(1, 3, 4, 4, 4).requires_grad_()
    enlarge(u, 2).sum().backward()
    assert u.grad is not None and float(u.grad.sum()) == pytest.approx(2 * 8 * u.numel())
