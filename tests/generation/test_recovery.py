"""Recovery with a network that knows the answer: what is drawn is what is taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from src_core.diffusion.flow import Flow
from src_core.diffusion.grids import crop
from src_core.diffusion.schedule import Schedule
from src_core.generation.recovery import recovery_steps
from src_core.models.model import Model, ModelSpec, Recovery
from src_core.models.nn.velocity import VelocityUNetConfig
from tests.support.flows import enlarged_velocity, squared

SCHEDULE = Schedule(sigma=1.5e-5)
LEVEL = 40
INTEGRATE = squared(SCHEDULE.squarings)


@dataclass(frozen=True, eq=False)
class Oracle(Model):
    """Predicts the true velocity, whatever it sees, and keeps the levels it was asked for."""

    truth: Tensor = field(default_factory=lambda: torch.zeros(1))
    asked: list[int] = field(default_factory=list)

    def predict(self, images: Tensor, level: int, condition: object = None) -> Tensor:
        self.asked.append(level)
        return -self.truth


@pytest.fixture
def velocity() -> Tensor:
    return enlarged_velocity(SCHEDULE, 2, 3)


def oracle(velocity: Tensor, redundancy: float = 1.0) -> Oracle:
    spec = ModelSpec(
        name="oracle",
        size=256,
        schedule=SCHEDULE,
        network=VelocityUNetConfig(),
        recovery=Recovery(redundancy=redundancy),
    )
    return Oracle(spec, nn.Identity(), torch.device("cpu"), "", truth=crop(velocity))


def ends(velocity: Tensor, steps: int, redundancy: float = 1.0) -> tuple[Oracle, Tensor, Tensor]:
    """The model, and the random and recovered DDF away from the border."""
    model = oracle(velocity, redundancy)
    start = Flow(velocity * SCHEDULE.tau(LEVEL), (), model.spec.state, INTEGRATE)
    found = list(recovery_steps(model, torch.rand(2, 1, 256, 256), start, LEVEL, steps))
    assert [s.index for s in found] == list(range(len(found)))
    inner = (..., slice(16, -16), slice(16, -16))
    return model, found[0].displacement[inner], found[-1].displacement[inner]


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_a_perfect_network_takes_everything_back_in_any_number_of_steps(
    velocity: Tensor, steps: int
) -> None:
    model, random, recovered = ends(velocity, steps)
    assert random.abs().max() > 2
    assert recovered.abs().max() < 0.05 * random.abs().max()
    assert model.asked == list(SCHEDULE.step_levels(LEVEL, steps)[:-1])


def test_redundancy_integrates_further_back(velocity: Tensor) -> None:
    _, random, recovered = ends(velocity, 8, redundancy=2.0)
    backwards = Flow(-velocity * SCHEDULE.tau(LEVEL), (), 64, INTEGRATE).start()
    assert torch.allclose(recovered, backwards[..., 16:-16, 16:-16], atol=0.2)
    assert recovered.square().sum() == pytest.approx(float(random.square().sum()), rel=0.3)


def test_the_map_is_the_product_of_its_flows(velocity: Tensor) -> None:
    model = oracle(velocity, 0.5)
    start = Flow(velocity * SCHEDULE.tau(LEVEL), (), model.spec.state, INTEGRATE)
    for step in recovery_steps(model, torch.rand(1, 1, 256, 256), start, LEVEL, 4):
        assert torch.allclose(step.displacement, step.flow.displacement(), atol=1e-5)
        assert len(step.flow.corrections) == step.index
