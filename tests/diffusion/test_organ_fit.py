"""The organ part and the modes against their definition, written out field by field."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from src_core.diffusion.organ_maps import OrganMaps
from src_core.diffusion.organs import organ_modes, organ_part
from src_core.fields.sampling import identity

# reach of an organ, of one that lies in another, of all together, and where one makes way
REACH, INNER, ALL, GAP = 1.8, 0.9, 2.7, 0.9


def ball(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> Tensor:
    at = identity(shape, torch.zeros(1))[0]
    middle = torch.tensor(centre).view(-1, *[1] * len(shape))
    return (radius + 0.5 - (at - middle).square().sum(0).sqrt()).clamp(0, 1)


def organs(ndim: int) -> Tensor:
    """One beside another, which holds a third; and one that is absent."""
    shape, last = ((44, 37), ()) if ndim == 2 else ((26, 24, 18), (8.5,))
    beside = ball(shape, (12.0, 9.0, *last), 5)
    outer, cavity = (ball(shape, (14.0, 21.0, *last), r) for r in (6.5, 4.0))
    return torch.stack([beside, outer, cavity, torch.zeros(shape)])


def fading(organ: Tensor, reach: float) -> Tensor:
    distance = ndimage.distance_transform_edt(organ.numpy() < 0.5)
    return torch.from_numpy(0.5 + 0.5 * np.cos(np.pi * np.clip(distance / reach, 0, 1)))


def fields(maps: Tensor) -> Tensor:
    """The modes of ``organs``, (M, D, *n), float64."""
    beside, outer, cavity, _ = maps
    union, ndim = maps.amax(0), maps.dim() - 1
    size = float(union.sum())
    radius = math.sqrt(size / math.pi) if ndim == 2 else (0.75 * size / math.pi) ** (1 / 3)
    at = identity(union.shape, torch.zeros(1, dtype=torch.float64))[0]

    def offset(organ: Tensor) -> Tensor:
        centre = (at * organ).flatten(1).sum(1) / organ.double().sum()
        return at - centre.view(-1, *[1] * ndim)

    way = (1 - fading(outer, GAP * radius)) * (1 - fading(cavity, GAP * radius))
    whole, away = fading(union, ALL * radius), offset(union)
    found = [offset(beside) * fading(beside, REACH * radius) * way]
    found += [offset(outer) * fading(outer, REACH * radius)]
    found += [offset(cavity) * fading(cavity, INNER * radius), torch.zeros_like(at)]
    for first, second in [(0, 1)] if ndim == 2 else [(0, 1), (0, 2), (1, 2)]:
        turn = torch.zeros_like(at)
        turn[first], turn[second] = -away[second], away[first]
        found.append(turn * whole)
    axes = torch.eye(ndim, dtype=torch.float64).view(ndim, ndim, *[1] * ndim)
    return torch.stack([*found, *(axes * whole)])


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_organ_part_is_the_weighted_fit_of_the_modes(ndim: int) -> None:
    maps = organs(ndim)
    source = torch.Generator().manual_seed(1)
    velocity = 2 * torch.randn(1, ndim, *maps.shape[1:], generator=source)
    known, weights = fields(maps), (maps.amax(0) + 0.02).double()
    roots = weights.sqrt()
    matrix = (known * roots).flatten(1).T
    wanted = (velocity[0].double() * roots).flatten()
    rates = torch.linalg.lstsq(matrix, wanted, driver="gelsd").solution
    factors = torch.linspace(0.4, 1.3, len(known))
    for scale in (None, factors):
        rated = rates if scale is None else rates * scale
        expected = torch.einsum("m,m...->...", rated, known).float()
        part = organ_part(velocity, maps[None], scale)[0]
        torch.testing.assert_close(part, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("ndim", [2, 3])
def test_modes_agree_with_their_definition(ndim: int) -> None:
    modes = organ_modes(organs(ndim))
    assert modes is not None
    torch.testing.assert_close(modes.fields, fields(organs(ndim)).float(), atol=1e-5, rtol=0)


def test_sizes_centres_and_which_lies_in_which() -> None:
    maps = organs(2)
    found = OrganMaps.of(maps)
    assert found.inside == {(2, 1)}
    assert found.depths == [0, 0, 1, 0]
    expected = [*maps.flatten(1).sum(1).tolist(), float(maps.amax(0).sum())]
    assert found.sizes == pytest.approx(expected, rel=1e-6)
    middle = np.array([(n - 1) / 2 for n in maps.shape[1:]])
    np.testing.assert_allclose(found.centres[:3] + middle, [[12, 9], [14, 21], [14, 21]], atol=1e-3)
    assert np.isnan(found.centres[3]).all()


def test_organs_of_one_size_do_not_lie_in_each_other() -> None:
    one = ball((20, 20), (9.0, 10.0), 4)
    assert not OrganMaps.of(torch.stack([one, one])).inside
