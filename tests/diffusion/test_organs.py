"""The organ part of a velocity: exact for scalings, turns and shifts, and blind to shear."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import ndimage
from torch import Tensor

from src_core.diffusion.organs import organ_modes, organ_part


def points(*shape: int) -> Tensor:
    lines = [torch.arange(n, dtype=torch.float64) for n in shape]
    return torch.stack(torch.meshgrid(*lines, indexing="ij"))


def ball(at: Tensor, centre: tuple[float, ...], radius: float) -> Tensor:
    middle = torch.tensor(centre, dtype=at.dtype).view(-1, *[1] * (at.dim() - 1))
    return ((at - middle).square().sum(0) <= radius**2).float()


def offset(at: Tensor, centre: tuple[float, ...]) -> Tensor:
    return (at - torch.tensor(centre, dtype=at.dtype).view(-1, *[1] * (at.dim() - 1))).float()


def window(organ: Tensor, reach: float) -> Tensor:
    """1 in a disc or ball, half a cosine to 0 at ``reach`` of its radii around it."""
    size, flat = float(organ.sum()), organ.dim() == 2
    radius = (size / math.pi) ** 0.5 if flat else (0.75 * size / math.pi) ** (1 / 3)
    distance = torch.from_numpy(ndimage.distance_transform_edt(organ.numpy() == 0))
    return (0.5 + 0.5 * torch.cos(math.pi * (distance / (reach * radius)).clamp(0, 1))).float()


@pytest.mark.parametrize(
    ("shape", "centre"), [((48, 40), (22.0, 19.0)), ((26, 22, 24), (12.0, 11.0, 10.0))]
)
def test_a_similarity_that_fades_as_the_modes_is_its_organ_part(
    shape: tuple[int, ...], centre: tuple[float, ...]
) -> None:
    at = points(*shape)
    organ = ball(at, centre, 5.0)
    away = offset(at, centre)
    turned = torch.zeros_like(away)
    turned[0], turned[1] = -away[1], away[0]
    rigid = 0.2 * turned
    rigid[0] += 0.7
    velocity = 0.1 * away * window(organ, 1.8) + rigid * window(organ, 2.7)
    part = organ_part(velocity[None], organ[None, None])[0]
    torch.testing.assert_close(part, velocity, atol=1e-3, rtol=0)
    modes = organ_modes(organ[None])
    assert modes is not None
    rates = modes.coefficients(velocity)
    expected = torch.zeros(len(modes.fields), dtype=rates.dtype)
    expected[0], expected[1], expected[-len(shape)] = 0.1, 0.2, 0.7
    torch.testing.assert_close(rates, expected, atol=1e-3, rtol=0)


def test_shear_of_a_disc_has_no_organ_part() -> None:
    at, centre = points(40, 44), (20.0, 21.0)
    organ, away = ball(at, centre, 6.0), offset(at, centre)
    shear = torch.stack([away[0], -away[1]])
    part = organ_part(shear[None], organ[None, None])[0]
    assert float(part.abs().max()) < 0.02 * float(shear[:, organ > 0].abs().max())


def test_a_cavity_and_its_wall_have_rates_of_their_own() -> None:
    """Two nested discs: the modes of both give any size of both."""
    at, centre = points(64, 64), (31.0, 33.0)
    outer, inner = ball(at, centre, 11.0), ball(at, centre, 6.0)
    modes = organ_modes(torch.stack([outer, inner]))
    assert modes is not None
    rates = modes.coefficients(modes.fields[0] * 0.2 - modes.fields[1] * 0.1)
    assert float(rates[0]) == pytest.approx(0.2, abs=1e-3)
    assert float(rates[1]) == pytest.approx(-0.1, abs=1e-3)


def test_an_earlier_organ_makes_way_for_a_later_one() -> None:
    at = points(64, 64)
    left, right = ball(at, (32.0, 22.0), 6.0), ball(at, (32.0, 40.0), 8.0)
    modes = organ_modes(torch.stack([left, right]))
    assert modes is not None
    assert float(modes.fields[0][:, right > 0].abs().max()) == 0
    assert float(modes.fields[0][:, left > 0].abs().max()) > 1
    assert float(modes.fields[1][:, left > 0].abs().max()) > 1


def test_modes_fade_out_smoothly() -> None:
    at, centre = points(96, 96), (47.0, 48.0)
    organ = ball(at, centre, 6.0)
    modes = organ_modes(organ[None])
    assert modes is not None
    distance = offset(at, centre).norm(dim=0)
    scaling = modes.fields[0].norm(dim=0)
    radius = math.sqrt(float(organ.sum()) / math.pi)
    assert float(scaling[distance > (6 + 1.8 * radius + 1)].max()) == 0
    assert float(scaling.diff(dim=0).abs().max()) < 2.5


def test_absent_organs_have_no_modes() -> None:
    at = points(32, 32)
    organ = ball(at, (16.0, 15.0), 5.0)
    velocity = 0.1 * offset(at, (16.0, 15.0))[None]
    both = organ_part(velocity, torch.stack([torch.zeros_like(organ), organ])[None])
    alone = organ_part(velocity, organ[None, None])
    torch.testing.assert_close(both, alone, atol=1e-4, rtol=0)
    assert organ_modes(torch.zeros(2, 32, 32)) is None
    assert not organ_part(velocity, torch.zeros(1, 2, 32, 32)).any()


def test_items_of_a_batch_have_organs_of_their_own() -> None:
    at = points(40, 40)
    organs = torch.stack([ball(at, (14.0, 20.0), 5.0), ball(at, (25.0, 18.0), 6.0)])[:, None]
    velocity = torch.randn(2, 2, 40, 40, generator=torch.Generator().manual_seed(3))
    together = organ_part(velocity, organs)
    for i in range(2):
        torch.testing.assert_close(
            together[i : i + 1], organ_part(velocity[i : i + 1], organs[i : i + 1])
        )
