"""Eq. 14 in closed form for both kinds of network, teachers' units, and moved weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from src_core.diffusion.kinds import random_field
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.fields import enlarge, exponential, smooth
from src_core.models.model import Model, ModelSpec
from src_core.models.nn.acnn import AcnnConfig, AcnnUNet, predict
from src_core.models.prediction import build, network_kind
from src_core.models.release import RELEASE_SIGMA, release_spec
from src_core.training import TrainConfig, read_config
from src_core.training.objectives import Objective
from src_core.training.teacher import Teacher, fitted_weights, sigma_of
from tests.support.flows import control_velocity
from tests.support.paths import ROOT

CONFIGS = ROOT / "resources" / "configs"
SCHEDULE = Schedule(control=16, components=(16, 8, 4), sigma=1.2e-4)
UNET = {"kind": "velocity-unet", "stem": 8, "widths": (16, 24), "output_stage": 0}
ACNN = {"kind": "acnn", "channels": (4, 8), "bottleneck": (8, 8, 8), "time_features": 8}
LEVELS = torch.tensor([60, 3, 30])


def config(network: dict[str, object], **changes: object) -> TrainConfig:
    values = {"name": "tiny", "size": 64, "schedule": SCHEDULE, "network": network}
    weights = {"distance": 1, "angle": 1, "gradient": 1, "folding": 10}
    return TrainConfig.model_validate({**values, "weights": weights, **changes})


def clean(count: int = 3, seed: int = 2) -> Tensor:
    return torch.cat([control_velocity(SCHEDULE, 2, seed, i) for i in range(count)])


def target(settings: TrainConfig, clean: Tensor, levels: Tensor) -> Tensor:
    return network_kind(settings.network).target(settings, clean, levels)


def undoing(settings: TrainConfig, levels: Tensor) -> tuple[Tensor, Tensor]:
    """Targets, and the predictions that undo them: for an acnn the flow of ``-n_dvf v``."""
    wanted = target(settings, clean(), levels)
    if settings.network.kind != "acnn":
        return wanted, wanted.clone()
    times = torch.tensor([-float(SCHEDULE.n_dvf(int(n))) for n in levels]).view(-1, 1, 1, 1)
    back = exponential(random_field(SCHEDULE).enlarged(clean()) * times, SCHEDULE.squarings)
    return wanted, enlarge(back[:, :, 8:24, 8:24], 4)


@pytest.mark.parametrize("network", [UNET, ACNN], ids=["velocity", "displacement"])
def test_a_perfect_inverse_costs_nothing(network: dict[str, object]) -> None:
    settings = config(network)
    objective = Objective(settings, nn.Identity())
    wanted, perfect = undoing(settings, LEVELS)
    loss, (distance, angle, gradient) = objective.loss(perfect, wanted)
    # A displacement on a grid is undone but for what linear interpolation loses.
    worst = (1e-6, 1e-6) if network is UNET else (5e-4, 0.02)
    assert max(float(distance), float(angle)) < worst[0] and float(gradient) < worst[1]
    nothing, shown = objective.loss(torch.zeros_like(wanted), wanted)
    assert float(nothing) > 1.5 and float(shown[0]) > 0.8 and float(loss) < 1e-2 * float(nothing)
    wrong, _ = objective.loss(-perfect, wanted)
    assert float(wrong) > float(nothing)


def test_a_displacement_is_judged_after_the_dvf() -> None:
    """Constant fields: pred = -dvf leaves nothing; a quarter too short leaves 1/16, no angle."""
    settings = config(ACNN)
    objective = Objective(settings, nn.Identity())
    dvf = torch.full((1, 2, 64, 64), 2.0)
    floor = settings.weights.floor**2 * objective.energy
    _, (distance, angle, _) = objective.loss(-0.75 * dvf, dvf)
    assert float(distance) == pytest.approx(0.25 / (4 + floor))
    assert float(angle) == pytest.approx(0, abs=1e-3)
    _, (_, angle, _) = objective.loss(dvf * torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1), dvf)
    assert float(angle) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("network", [UNET, ACNN], ids=["velocity", "displacement"])
def test_gradients_are_finite_at_level_0(network: dict[str, object]) -> None:
    settings = config(network)
    made = build(settings.network)
    objective = Objective(settings, made)
    levels = torch.tensor([0, 0])
    wanted = target(settings, clean(2) * 0, levels)
    assert not wanted.any()
    prediction, _ = objective(torch.rand(2, 1, 64, 64), levels)
    loss, _ = objective.loss(prediction, wanted)
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in made.parameters())
    assert torch.isfinite(loss)


@pytest.mark.parametrize("network", [UNET, ACNN], ids=["velocity", "displacement"])
@pytest.mark.parametrize("axis", [0, 1])
def test_losses_do_not_change_with_a_flip(network: dict[str, object], axis: int) -> None:
    settings = config(network)
    objective = Objective(settings, nn.Identity())
    wanted = target(settings, clean(), LEVELS)
    prediction = 0.7 * torch.roll(wanted, 1, 0)

    def flipped(field: Tensor) -> Tensor:
        signs = torch.ones(2)
        signs[axis] = -1
        return field.flip(axis + 2) * signs.view(1, 2, 1, 1)

    one, parts = objective.loss(prediction, wanted)
    two, mirrored = objective.loss(flipped(prediction), flipped(wanted))
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.stack(mirrored), torch.stack(parts), rtol=1e-4, atol=1e-5)


class Truth(nn.Module):
    """A network that knows the answer."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer, self.asked = answer, list[int]()

    def forward(self, image: Tensor, level: Tensor) -> Tensor:
        self.asked.append(int(level))
        return self.answer[:1]


def truth(settings: TrainConfig, sigma: float) -> Model:
    """A model trained on fields of another sigma that says what made ``clean``'s first."""
    schedule = SCHEDULE.model_copy(update={"sigma": sigma})
    spec = ModelSpec(name="t", size=64, schedule=schedule, network=config(UNET).network)
    return Model(spec, Truth(target(settings, clean(1), LEVELS[:1])), torch.device("cpu"), "0" * 64)


@pytest.mark.parametrize("sigma", [SCHEDULE.sigma, 2 * SCHEDULE.sigma])
def test_a_teacher_speaks_in_the_pupil_s_units(sigma: float) -> None:
    """It is asked at the level of the same deformation, and what it says is for that one."""
    settings = config(UNET)
    model = truth(settings, sigma)
    reported = Teacher(model, settings)(torch.rand(1, 1, 64, 64), torch.tensor([50]))
    expected = target(settings, clean(1), torch.tensor([50]))
    # Linear enlargement and means over blocks smooth it; the size and direction stay.
    cosine = (reported * expected).sum() / (reported.norm() * expected.norm())
    assert float(cosine) > 0.9
    assert float(reported.sum() / expected.sum()) == pytest.approx(1, abs=0.05)
    level = model.network.asked[0]
    tau = model.spec.schedule.tau(level) * sigma
    assert tau == pytest.approx(SCHEDULE.tau(50) * SCHEDULE.sigma, rel=0.03)


def test_a_teacher_moves_a_displacement_s_pupil_by_n_dvf() -> None:
    settings = config(ACNN)
    model = truth(config(UNET), SCHEDULE.sigma)
    levels = torch.tensor([60, 0])
    reported = Teacher(model, settings)(torch.rand(2, 1, 64, 64), levels)
    velocity = model.network.answer * random_field(SCHEDULE).unit
    expected = -enlarge(velocity, 8) * SCHEDULE.n_dvf(60)
    assert reported.shape == (2, 2, 64, 64)
    assert float((reported[:1] * expected).sum() / expected.square().sum()) == pytest.approx(
        1, abs=0.1
    )
    assert not reported[1].any(), "nothing is undone at level 0"


def test_a_teacher_pulls_and_agreement_costs_nothing() -> None:
    settings = config(UNET)
    objective = Objective(settings, nn.Identity())
    wanted = target(settings, clean(), LEVELS)
    alone, _ = objective.loss(wanted, wanted)
    agreed, _ = objective.loss(wanted, wanted, teacher=wanted)
    pulled, _ = objective.loss(wanted, wanted, teacher=-wanted)
    assert float(agreed) == float(alone)
    assert float(pulled) > float(alone) + 0.5


def test_a_teacher_of_other_images_is_refused() -> None:
    settings = config({**UNET, "stem": 16}, size=128)
    with pytest.raises(InputError, match="the teacher takes whole images of 64"):
        Teacher(truth(config(UNET), 1e-4), settings)


def test_the_published_schedule_is_met_at_a_lower_level() -> None:
    """METHOD: row t -> round(.541 t), output x .65, in units of .02 of the side."""
    adapt = read_config(CONFIGS / "adapt-release.toml")
    network = AcnnUNet(AcnnConfig())
    model = Model(release_spec(), network, torch.device("cpu"), "0" * 64)
    assert sigma_of(model) == RELEASE_SIGMA
    weights = fitted_weights(model, adapt)
    rows = [round(0.541 * t) for t in range(80)]
    close = (weights["time_table"] == network.time_table[rows]).all(1)
    assert close.double().mean() > 0.95, "rows between two may round either way"
    scale = weights["head.weight"] / network.head.weight
    torch.testing.assert_close(scale, torch.full_like(scale, 0.6505 / 0.02), rtol=1e-3, atol=0)
    own = Model(release_spec().model_copy(update={"name": "x"}), network, model.device, "0" * 64)
    assert sigma_of(own) == RELEASE_SIGMA


def test_an_output_unit_changes_no_prediction() -> None:
    plain, scaled = AcnnConfig(recursion=1), AcnnConfig(recursion=1, output_unit=0.02)
    one, two = AcnnUNet(plain), AcnnUNet(scaled)
    two.load_state_dict(one.state_dict())
    two.head.weight.data /= 0.02
    two.head.bias.data /= 0.02
    image, row = torch.rand(1, 1, 32, 32), torch.tensor([40])
    torch.testing.assert_close(predict(two, image, row), predict(one, image, row))
    torch.testing.assert_close(predict(one, image, row, side=64), 2 * predict(one, image, row))


def test_smoothing_keeps_ramps_and_means() -> None:
    ramp = torch.arange(40.0)[None, None, :, None].expand(1, 2, 40, 30)
    torch.testing.assert_close(smooth(ramp, 1.5)[:, :, 6:-6], ramp[:, :, 6:-6])
    dot = torch.zeros(1, 2, 21, 23)
    dot[:, :, 10, 11] = 1
    spread = smooth(dot, 2.0)
    assert float(spread[0, 0].sum()) == pytest.approx(1, abs=1e-4)
    axis = torch.arange(21.0) - 10
    assert float((spread[0, 0].sum(1) * axis**2).sum()) == pytest.approx(4, rel=0.05)
    assert smooth(dot, 0) is dot
