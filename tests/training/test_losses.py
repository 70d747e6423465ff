"""Loss terms in closed form; a fold must cost something, unlike in the release."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from src_core.fields.sampling import identity
from src_core.training import losses


def linear(matrix: list[list[float]], shape: tuple[int, ...] = (9, 14)) -> Tensor:
    """u of ``phi(x) = matrix x``."""
    x = identity(shape, torch.zeros(1, dtype=torch.float64))
    a = torch.tensor(matrix, dtype=torch.float64)
    return torch.einsum("ij,bj...->bi...", a, x) - x


def test_differences_run_along_each_axis() -> None:
    field = linear([[3.0, 0.5], [-1.0, 2.0]])
    along_x, along_y = losses.differences(field)
    assert along_x.shape == (1, 2, 8, 14) and along_y.shape == (1, 2, 9, 13)
    torch.testing.assert_close(along_x[0, :, 2, 3], torch.tensor([2.0, -1.0]).double())
    torch.testing.assert_close(along_y[0, :, 2, 3], torch.tensor([0.5, 1.0]).double())


def test_gradient_weighs_slopes_and_no_offsets() -> None:
    assert float(losses.gradient(torch.full((1, 2, 5, 7), 3.0))) == 0
    slopes = linear([[1.2, 0.4], [0.0, 1.0]])
    assert float(losses.gradient(slopes)) == pytest.approx((0.2**2 / 2 + 0.4**2 / 2) / 2)


@pytest.mark.parametrize(("turn", "expected"), [(0, 0.0), (60, 0.5), (90, 1.0), (180, 2.0)])
def test_angle_is_one_minus_the_cosine(turn: float, expected: float) -> None:
    radians = torch.deg2rad(torch.tensor(float(turn)))
    target = torch.zeros(1, 2, 5, 3)
    target[:, 0] = 2
    prediction = torch.zeros(1, 2, 5, 3)
    prediction[:, 0], prediction[:, 1] = 7 * radians.cos(), 7 * radians.sin()
    assert float(losses.angle(prediction, target, 1e-4)) == pytest.approx(expected, abs=1e-6)


def test_angle_is_safe_for_short_vectors() -> None:
    prediction = torch.zeros(1, 2, 5, 3, requires_grad=True)
    value = losses.angle(prediction, torch.zeros(1, 2, 5, 3), 0.1)
    value.sum().backward()
    assert float(value.detach()) == pytest.approx(0, abs=1e-6)
    assert prediction.grad is not None and prediction.grad.isfinite().all()


def test_smoothness_leaves_a_threshold_free() -> None:
    slopes = linear([[1.3, 0.0], [0.0, 1.05]])
    expected = ((0.3 - 0.1) / 2 + 0) / 2
    assert float(losses.smoothness(slopes, 0.1)) == pytest.approx(expected)
    assert float(losses.smoothness(slopes, 0.4)) == 0


@pytest.mark.parametrize(
    ("matrix", "determinant"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 1.0),
        ([[-1.0, 0.0], [0.0, 1.0]], -1.0),
        ([[0.0, 1.0], [1.0, 0.0]], -1.0),
        ([[0.2, 2.0], [-0.4, 0.25]], 0.85),
        ([[1.0, 2.0], [2.0, 1.0]], -3.0),
    ],
)
def test_folding_is_how_far_determinants_are_below_zero(
    matrix: list[list[float]], determinant: float
) -> None:
    u = linear(matrix)
    assert float(losses.folding(u)) == pytest.approx(max(0.0, -determinant))
    assert float(losses.folding(u, margin=1.5)) == pytest.approx(1.5 - determinant)


def test_a_fold_within_an_identity_costs() -> None:
    """phi turns back on itself over three voxels, where the release's 'negdetj' stays at 0."""
    u = torch.zeros(1, 2, 12, 10, dtype=torch.float64)
    u[0, 0, 4:7] = torch.tensor([4.0, 2.0, 0.0]).double()[:, None]
    phi = torch.arange(12).double() + u[0, 0, :, 0]
    expected = (-phi.diff()).clamp_min(0).mean()
    assert expected > 0
    assert float(losses.folding(u)) == pytest.approx(float(expected))


def test_folding_in_3d() -> None:
    assert float(losses.folding(linear([[1.0, 0, 0], [0, -0.5, 0], [0, 0, 2.0]], (5, 6, 7)))) == 1
