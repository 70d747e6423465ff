"""Stretch of organs, and shifts of organs in others, are read from a deformation and taken back."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from src_core.diffusion.organ_shape import shape_corrections
from src_core.fields.sampling import identity, warp

SIDE = 48


def _points(ndim: int = 2) -> Tensor:
    return identity((SIDE,) * ndim, torch.zeros(1))[0]


def _ball(centre: tuple[float, ...], radius: float) -> Tensor:
    offset = _points(len(centre)) - torch.tensor(centre).view(-1, *[1] * len(centre))
    return (radius + 0.5 - torch.linalg.vector_norm(offset, dim=0)).clamp(0, 1)


def _linear(matrix: Tensor, about: tuple[float, ...]) -> Tensor:
    """u of the map that multiplies offsets from a point by a matrix: (1, D, *n)."""
    centre = torch.tensor(about).view(-1, *[1] * len(about))
    offset = _points(len(about)) - centre
    return (torch.einsum("ij,j...->i...", matrix, offset) - offset)[None]


def _after(u: Tensor, organs: Tensor, share: float = 1.0) -> Tensor:
    for _, after in shape_corrections(u, organs, share):
        u = after
    return u


def _axis_ratio(u: Tensor, organ: Tensor) -> float:
    """Logarithm of the longest by the shortest axis of a warped organ."""
    weights = warp(organ[None, None], u, padding="zeros")[0, 0].flatten()
    points = _points(organ.dim()).flatten(1)
    centred = points - ((points * weights).sum(1) / weights.sum())[:, None]
    squares = torch.linalg.eigvalsh((centred * weights) @ centred.T)
    return 0.5 * math.log(float(squares[-1] / squares[0]))


@pytest.mark.parametrize("angle", [0.0, 0.6])
def test_a_stretched_disc_is_round_again(angle: float) -> None:
    organ, at = _ball((25.0, 21.0), 8.0), (25.0, 21.0)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    u = _linear(turn @ torch.diag(torch.tensor([1.3, 1 / 1.3])) @ turn.T, at)
    before, half = _axis_ratio(u, organ), _axis_ratio(_after(u, organ[None, None], 0.5), organ)
    assert before == pytest.approx(2 * math.log(1.3), rel=0.03)
    assert half == pytest.approx(before / 2, rel=0.1)
    assert _axis_ratio(_after(u, organ[None, None]), organ) < 0.05 * before


def test_a_ball_in_3d_is_round_again() -> None:
    organ, at = _ball((25.0, 21.0, 24.0), 8.0), (25.0, 21.0, 24.0)
    u = _linear(torch.diag(torch.tensor([1.25, 0.9, 1 / 1.125])), at)
    assert _axis_ratio(u, organ) > 0.3
    assert _axis_ratio(_after(u, organ[None, None]), organ) < 0.03


def test_size_orientation_and_position_stay() -> None:
    organ, turned = _ball((25.0, 21.0), 8.0), torch.tensor([[0.96, -0.28], [0.28, 0.96]])
    u = _linear(1.2 * turned, (25.0, 21.0)) + torch.tensor([2.0, -3.0]).view(1, 2, 1, 1)
    longest = max(
        (float(v.abs().max()) for v, _ in shape_corrections(u, organ[None, None], 1)), default=0
    )
    assert longest < 1e-4


def test_a_cavity_that_shifted_in_its_wall_returns() -> None:
    outer, cavity = _ball((24.0, 24.0), 12.0), _ball((24.0, 24.0), 6.0)
    organs = torch.stack([outer, cavity])[None]
    reach = ((10.0 - torch.linalg.vector_norm(_points() - 24.0, dim=0)) / 4).clamp(0, 1)
    u = torch.stack([2.0 * reach, torch.zeros_like(reach)])[None]

    def apart(field: Tensor) -> float:
        maps = warp(organs, field, padding="zeros")[0]
        rows = [float((_points()[0] * m).sum() / m.sum()) for m in maps]
        return abs(rows[0] - rows[1])

    assert apart(u) > 1.4
    assert apart(_after(u, organs)) < 0.5 * apart(u)


def test_without_organs_nothing_is_taken_back() -> None:
    u = _linear(torch.diag(torch.tensor([1.3, 0.8])), (24.0, 24.0))
    assert not list(shape_corrections(u, torch.zeros(1, 2, SIDE, SIDE), 1.0))
