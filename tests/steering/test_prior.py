"""The prior of velocities: adjoint, smallest draws, and gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.diffusion.multiscale_field import MultiscaleField
from src_core.diffusion.random_field import generator
from src_core.diffusion.schedule import Schedule
from src_core.fields import compose
from src_core.fields.sampling import identity
from src_core.steering.field_goals import gradient_at, point_weights
from src_core.steering.parts import SoftLabels, SteeredPart
from src_core.steering.prior import Constraints, Prior, stacked


@pytest.fixture(params=[2, 3])
def prior(request: pytest.FixtureRequest) -> Prior:
    field = MultiscaleField(Schedule(control=16, components=(16, 8), refine=1, sigma=4e-3))
    return Prior(field, 9.0, field.draw(request.param, generator(5)))


def test_the_adjoint_is_one(prior):
    velocity = prior.velocity(prior.like)
    other = torch.randn(velocity.shape, generator=generator(6))
    back = prior.adjoint(other)
    left = float((velocity * other).sum())
    right = sum(float((a * b).sum()) for a, b in zip(prior.like, back, strict=True))
    assert left == pytest.approx(right, rel=1e-4)


def test_the_adjoint_works_in_inference_mode(prior):
    with torch.inference_mode():
        rows = torch.ones_like(prior.velocity(prior.like))
        assert all(bool(part.isfinite().all()) for part in prior.adjoint(rows))


def test_a_step_does_what_is_wanted_with_the_smallest_draws(prior):
    shape = prior.velocity(prior.like).shape[1:]
    rows = torch.randn(2, *shape, generator=generator(7))
    wanted = Constraints(rows, torch.tensor([0.3, -0.2]), torch.tensor([1e-6, 1e-6]))
    draws = prior.step(wanted)
    got = torch.stack([(prior.velocity(draws)[0] * row).sum() for row in rows])
    assert got.tolist() == pytest.approx([0.3, -0.2], rel=1e-3)
    # of all draws with this effect they are the smallest: no part of them has no effect
    free = prior.step(Constraints(rows, torch.tensor([0.0, 0.0]), wanted.deviations))
    assert all(float(part.abs().max()) == 0 for part in free)
    square = sum(float(d.double().square().sum()) for d in draws)
    with_more = [d + 0.01 * torch.randn(d.shape, generator=generator(8)) for d in draws]
    moved = torch.stack([(prior.velocity(tuple(with_more))[0] * row).sum() for row in rows])
    back = prior.step(Constraints(rows, wanted.wanted - moved, wanted.deviations))
    same_effect = [a + b for a, b in zip(with_more, back, strict=True)]
    assert sum(float(d.double().square().sum()) for d in same_effect) > square


def test_what_is_less_exact_gives_way(prior):
    row = torch.randn(1, *prior.velocity(prior.like).shape[1:], generator=generator(9))
    both = [Constraints(row, torch.tensor([v]), torch.tensor([d])) for v, d in ((1, 0.01), (0, 1))]
    got = float((prior.velocity(prior.step(stacked(both)))[0] * row[0]).sum())
    assert got == pytest.approx(1, abs=0.02)


def _part(ndim: int, size: int) -> SteeredPart:
    def image(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values)[None, None]

    shape = (size,) * ndim if ndim == 3 else (size, size, 1)
    return SteeredPart(
        Grid.from_spacing(shape), 2 if ndim == 2 else None, None, image, lambda at: at, 1.0
    )


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("factor", [1, 2])
def test_gradients_of_sizes_are_those_of_finite_differences(ndim, factor):
    state = 32 if ndim == 2 else 20
    size = state * factor
    away = identity([size] * ndim, torch.zeros(1))[0] - (size - 1) / 2
    soft = torch.sigmoid((0.3 * size - away.norm(dim=0)) / (0.08 * size))
    points = identity([state] * ndim, torch.zeros(1)) - (state - 1) / 2
    u, step = 0.1 * points.flip(1) + 0.7, 0.05 * points + 0.4
    part, shares = _part(ndim, size), {1: soft[None, None]}
    here = SoftLabels(part, u, shares, size)
    values = away[0] + 2
    predicted = float((here.change(1, values) * step[0]).sum())
    small = 1e-2
    ends = [
        float(
            (SoftLabels(part, compose(u, s * small * step), shares, size).warped(1) * values).sum()
        )
        for s in (1, -1)
    ]
    assert predicted == pytest.approx((ends[0] - ends[1]) / (2 * small), rel=0.03)


@pytest.mark.parametrize("ndim", [2, 3])
def test_points_between_voxels(ndim):
    u = torch.zeros(1, ndim, *[6] * ndim)
    at = torch.tensor([2.25, 3.5, 1.0][:ndim], dtype=torch.float64)
    weights = point_weights(at, u)
    assert float(weights.sum()) == pytest.approx(1)
    points = identity([6] * ndim, u)[0]
    assert (points * weights).flatten(1).sum(1).tolist() == pytest.approx(at.tolist())
    # a linear map has its matrix as its gradient
    matrix = torch.eye(ndim, dtype=torch.float64) + 0.1 * torch.arange(ndim**2).view(ndim, ndim)
    linear = torch.einsum("ij,j...->i...", matrix - torch.eye(ndim), points.double())[None]
    assert torch.allclose(gradient_at(linear, at), matrix)
