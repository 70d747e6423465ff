"""Variety in recovery: a network that would take a disc's new size back, and what is left of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from src_core.diffusion.flow import Flow
from src_core.diffusion.grids import crop
from src_core.diffusion.schedule import Schedule
from src_core.fields.sampling import identity, warp
from src_core.generation.recovery import Variety, recovery_steps
from src_core.models.model import Model, ModelSpec, Recovery
from src_core.models.nn.velocity import VelocityUNetConfig
from tests.support.discs import disc
from tests.support.flows import squared

SCHEDULE = Schedule()
LEVEL, SIDE, RADIUS = 40, 64, 7.0
CENTRE = (2.0, -3.0)


@dataclass(frozen=True, eq=False)
class Oracle(Model):
    """Predicts the true velocity, whatever it sees."""

    truth: Tensor = field(default_factory=lambda: torch.zeros(1))

    def predict(self, images: Tensor, level: int, condition: object = None) -> Tensor:
        return -self.truth


def away(side: int) -> Tensor:
    centre = torch.tensor(CENTRE).view(1, 2, 1, 1)
    return identity([side, side], torch.zeros(1)) - (side - 1) / 2 - centre


def growing(rate: float) -> Tensor:
    """Makes a disc exp(rate) times as wide: (1, 2, 128, 128), on the enlarged grid."""
    at = away(2 * SIDE)
    ramp = ((at.norm(dim=1, keepdim=True) - 17) / 10).clamp(0, 1)
    return -rate * at * (0.5 + 0.5 * torch.cos(math.pi * ramp))


def diameters(rate: float, variety: Variety | None, steps: int = 4) -> tuple[float, float]:
    """Of the disc in the random field and the recovered one, as shares of its own."""
    spec = ModelSpec(name="oracle", size=256, schedule=SCHEDULE, network=VelocityUNetConfig())
    velocity = growing(rate) / SCHEDULE.tau(LEVEL)
    model = Oracle(spec, nn.Identity(), torch.device("cpu"), "", truth=crop(velocity))
    start = Flow(velocity * SCHEDULE.tau(LEVEL), (), spec.state, squared(SCHEDULE.squarings))
    images = torch.zeros(1, 1, 256, 256)
    found = list(recovery_steps(model, images, start, LEVEL, steps, variety=variety))
    organ = disc(SIDE, RADIUS, CENTRE)
    sizes = [float(warp(organ, s.displacement).sum() / organ.sum()) for s in (found[0], found[-1])]
    return sizes[0] ** 0.5, sizes[1] ** 0.5


@pytest.mark.parametrize("rate", [0.2, -0.2])
def test_full_variety_keeps_a_size_and_none_takes_it_back(rate: float) -> None:
    organ = disc(SIDE, RADIUS, CENTRE)
    random, kept = diameters(rate, Variety(1.0, organ))
    assert random == pytest.approx(math.exp(rate), rel=0.01)
    assert math.log(kept) == pytest.approx(rate, abs=0.03)
    assert math.log(diameters(rate, None)[1]) == pytest.approx(0, abs=0.01)
    assert math.log(diameters(rate, Variety(0.5, organ))[1]) == pytest.approx(rate / 2, abs=0.02)


def test_no_variety_is_recovery_as_without() -> None:
    assert diameters(0.2, Variety(0.0, disc(SIDE, RADIUS, CENTRE))) == diameters(0.2, None)


def test_a_disc_that_doubled_stays_as_much_wider_as_people_differ() -> None:
    random, kept = diameters(math.log(2), Variety(1.0, disc(SIDE, RADIUS, CENTRE)), steps=8)
    assert random == pytest.approx(2, rel=0.02)
    assert kept == pytest.approx(1.4, rel=0.06)


@pytest.mark.parametrize(
    ("times", "left"),
    [
        (2.0, math.log(1.4) / math.log(2)),
        (0.5, math.log(1.2) / math.log(2)),
        (1.3, 1.0),
        (0.9, 1.0),
    ],
)
def test_of_a_size_that_changed_too_far_a_part_is_left(times: float, left: float) -> None:
    u = away(SIDE) * (1 / times - 1)
    limited = Variety(0.7, disc(SIDE, 10.0, CENTRE)).limited(u)
    assert limited.factors is not None and limited.share == 0.7
    assert limited.factors.tolist() == pytest.approx([left, 1, 0.75, 0.75], abs=0.01)


def test_a_ball_is_limited_by_its_diameter_too() -> None:
    centre = (1.0, 0.0, -2.0)
    at = identity([32] * 3, torch.zeros(1)) - 15.5 - torch.tensor(centre).view(1, 3, 1, 1, 1)
    limited = Variety(1.0, disc(32, 6.0, centre, 3)).limited(-at / 2)
    assert limited.factors is not None
    expected = [math.log(1.4) / math.log(2), *[1] * 3, *[0.75] * 3]
    assert limited.factors.tolist() == pytest.approx(expected, abs=0.01)


def test_shear_is_taken_back_with_every_variety() -> None:
    at = away(SIDE)
    shear = torch.stack([at[:, 0], -at[:, 1]], 1) / SIDE
    kept = Variety(1.0, disc(SIDE, RADIUS, CENTRE)).kept(shear, torch.zeros_like(shear))
    assert float((kept - shear).abs().max()) < 0.05 * float(shear.abs().max())


@pytest.mark.parametrize(("stretch", "left"), [(1.0, 1.0), (0.3, 0.18), (0.6, 0.6)])
def test_stretch_is_taken_back_before_and_after_the_steps(stretch: float, left: float) -> None:
    organ = disc(SIDE, RADIUS, CENTRE)
    found = stretched(stretch, Variety(1.0, organ))
    assert axis_ratio(organ, found[0]) == pytest.approx(0.4, abs=0.02)
    assert axis_ratio(organ, found[-1]) == pytest.approx(0.4 * left, abs=0.03)
    assert axis_ratio(organ, stretched(stretch, None)[-1]) == pytest.approx(0.4, abs=0.02)


def stretched(stretch: float, variety: Variety | None) -> list[Tensor]:
    """The maps of a run in which a network predicts nothing, from a disc twice stretched by .2."""
    spec = ModelSpec(
        name="oracle",
        size=256,
        schedule=SCHEDULE,
        network=VelocityUNetConfig(),
        recovery=Recovery(stretch=stretch),
    )
    at = away(2 * SIDE)
    ramp = ((at.norm(dim=1, keepdim=True) - 17) / 20).clamp(0, 1)
    velocity = 0.2 * torch.stack([at[:, 0], -at[:, 1]], 1) * (0.5 + 0.5 * torch.cos(math.pi * ramp))
    model = Oracle(spec, nn.Identity(), torch.device("cpu"), "", truth=0 * crop(velocity))
    start = Flow(velocity, (), spec.state, squared(SCHEDULE.squarings))
    images = torch.zeros(1, 1, 256, 256)
    steps = recovery_steps(model, images, start, LEVEL, 2, variety=variety)
    return [s.displacement for s in steps]


def axis_ratio(organ: Tensor, u: Tensor) -> float:
    """Logarithm of the longest by the shortest axis of a warped organ."""
    weights, points = warp(organ, u).flatten(), identity([SIDE, SIDE], u)[0].flatten(1)
    offset = points - ((points * weights).sum(1) / weights.sum())[:, None]
    squares = torch.linalg.eigvalsh((offset * weights) @ offset.T)
    return 0.5 * math.log(float(squares[-1] / squares[0]))
