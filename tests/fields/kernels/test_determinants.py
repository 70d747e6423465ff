"""Compiled Jacobian determinants against PyTorch's."""

from __future__ import annotations

import pytest
import torch

from src_core.fields.jacobian import jacobian_by_torch, jacobian_determinant


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(2, 2), (9, 14), (2, 5, 3), (8, 13, 10)])
def test_determinants_agree_with_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    source = torch.Generator().manual_seed(0)
    u = torch.randn(3, len(shape), *shape, generator=source, dtype=dtype)
    torch.testing.assert_close(jacobian_determinant(u), jacobian_by_torch(u))


def test_a_part_of_a_field_is_measured_like_a_copy_of_it() -> None:
    u = torch.randn(1, 3, 9, 8, 7, generator=torch.Generator().manual_seed(0))
    part = u[..., 2:6, 1:, ::2]
    assert torch.equal(jacobian_determinant(part), jacobian_determinant(part.contiguous()))


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    u = torch.randn(1, 3, 60, 41, 50, generator=torch.Generator().manual_seed(0))
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(jacobian_determinant(u))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_gradients_pass_through_a_determinant() -> None:
    u = torch.zeros(1, 2, 5, 6, requires_grad=True)
    jacobian_determinant(u)[0, 2, 3].backward()  # type: ignore[no-untyped-call]
    assert u.grad is not None
    assert u.grad[0, 0, :, 3].tolist() == [0, -0.5, 0, 0.5, 0]
