"""Flows as products of exponentials, and the guard that damps velocities and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from src_core.diffusion.flow import Flow, correction_ddf
from src_core.diffusion.grids import crop
from src_core.diffusion.guard import guard
from src_core.fields import cell_bounds, certify, compose, exponential, squarings_for
from tests.support.flows import squared

FLOOR = 0.01


def bump(side: int, centre: tuple[float, ...], width: float, vector: tuple[float, ...]) -> Tensor:
    """A Gaussian bump of velocity: (1, D, side, ...)."""
    axes = [torch.arange(side, dtype=torch.float32) - c for c in centre]
    squares = sum(g**2 for g in torch.meshgrid(*axes, indexing="ij"))
    shape = torch.exp(-squares / (2 * width**2))
    return (torch.tensor(vector).view(-1, *[1] * len(centre)) * shape)[None]


def flow(ndim: int, strength: float) -> Flow:
    """A random part that moves, and corrections that squeeze two sides against each other."""
    state, mid = (32, 15.5) if ndim == 2 else (16, 7.5)
    wide = (2 * mid + 0.5,) * ndim
    push = [(1.0 if i == 0 else 0.3) * strength for i in range(ndim)]
    left = bump(state, (mid - 2, *[mid] * (ndim - 1)), 1.6, (strength, *[0.0] * (ndim - 1)))
    right = bump(state, (mid + 2, *[mid + 1] * (ndim - 1)), 1.6, (-strength, *[0.0] * (ndim - 1)))
    return Flow(
        bump(2 * state, wide, 6.0, tuple(push)), (left - right, 0.5 * right), state, squared(7)
    )


def weak(u: Tensor) -> Tensor:
    return (cell_bounds(u, FLOOR)[0] < FLOOR).nonzero().T[None].to(u.dtype) + 0.5


def weakness(f: Flow) -> float:
    return certify(f.displacement(), FLOOR)[0].min_det


every_ndim = pytest.mark.parametrize("ndim", [2, 3])


@every_ndim
def test_a_flow_is_the_product_of_its_exponentials(ndim: int) -> None:
    f = flow(ndim, 1.5)
    expected = crop(exponential(f.random, 7))
    torch.testing.assert_close(f.start(), expected)
    for w in f.corrections:
        expected = compose(expected, exponential(w, squarings_for(w)))
    torch.testing.assert_close(f.displacement(), expected)
    backwards = Flow(f.random, f.corrections[::-1], f.state, squared(7)).displacement()
    assert (backwards - expected).abs().max() > 1e-2, "the order must matter here"


def test_a_coarser_random_part_is_enlarged_to_the_state_grid() -> None:
    coarse = Flow(bump(32, (15.5, 15.5), 4.0, (1.0, 0.5)), (), 32, squared(7))
    fine = Flow(bump(64, (31.5, 31.5), 8.0, (2.0, 1.0)), (), 32, squared(7))
    assert coarse.displacement().shape == fine.displacement().shape == (1, 2, 32, 32)
    assert (coarse.displacement() - fine.displacement()).abs().max() < 0.05


def test_following_and_scaling_act_on_velocities() -> None:
    f = flow(2, 1.5)
    longer = f.followed_by(f.corrections[0])
    assert len(longer.corrections) == len(f.corrections) + 1
    expected = compose(f.displacement(), correction_ddf(f.corrections[0]))
    torch.testing.assert_close(longer.displacement(), expected)
    half = f.scaled(0.5)
    torch.testing.assert_close(half.random, f.random / 2)
    torch.testing.assert_close(half.corrections[1], f.corrections[1] / 2)
    assert not f.scaled(0.0).displacement().any()


@every_ndim
def test_a_certified_flow_is_returned_untouched(ndim: int) -> None:
    f = flow(ndim, 0.2)
    assert weakness(f) >= FLOOR
    guarded = guard(f, weak)
    assert guarded.flow is f
    assert guarded.scale == 1.0
    assert torch.equal(guarded.displacement, f.displacement())


@every_ndim
def test_a_folding_flow_is_damped_in_velocity_alone(ndim: int) -> None:
    f = flow(ndim, 16.0)
    assert weakness(f) < 0
    guarded = guard(f, weak)
    assert certify(guarded.displacement, FLOOR)[0].certified
    # The map is again the exponentials' product: nothing was scaled after integration.
    assert torch.equal(guarded.displacement, guarded.flow.displacement())
    damped = (guarded.flow.random, *guarded.flow.corrections)
    for before, after in zip((f.random, *f.corrections), damped, strict=True):
        assert not torch.equal(before, after), "the fold lies on the path of every flow"
        strong = before.abs() > 0.05 * before.abs().max()
        ratio = torch.where(strong, after / before, torch.nan)
        finite = ratio[~ratio.isnan()]
        assert finite.min() >= 0 and finite.max() <= 1 + 1e-6
        spread = (ratio[:, 0] - ratio[:, 1]).abs()
        assert not (spread > 1e-5).any(), "directions must stay"
    assert 0 < guarded.scale < 1


def test_damping_is_local() -> None:
    """Far from the fold the map keeps what it had."""
    f = flow(2, 16.0)
    moved = (guard(f, weak).displacement - f.displacement()).abs()
    assert moved.max() > 0.2
    assert moved[:, :, :4].max() < 0.02 and moved[:, :, :, -4:].max() < 0.02


@pytest.mark.parametrize("bound", [0.3, 0.05])
def test_the_whole_flow_shrinks_where_damping_does_not_suffice(bound: float) -> None:
    """A check that no local damping meets: anything that moves by more than a bound is refused."""
    f = flow(2, 2.0)
    corner = torch.zeros(1, 2, 1)

    def still(u: Tensor) -> Tensor:
        return corner if u.abs().max() > bound else corner[..., :0]

    guarded = guard(f, still)
    assert 0 < guarded.displacement.abs().max() <= bound
    assert guarded.displacement.abs().max() > 0.8 * bound, "shrunk more than bisection needs"
    assert torch.equal(guarded.displacement, guarded.flow.displacement())
    assert guarded.scale < 0.5


def test_nothing_at_all_passes_but_the_identity() -> None:
    corner = torch.zeros(1, 2, 1)
    guarded = guard(flow(2, 2.0), lambda u: corner if u.any() else corner[..., :0])
    assert not guarded.displacement.any()
    assert guarded.scale == 0
