"""The forward process: one smooth path in level per seed, strong, and hardly folding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from src_core.cases.case import Case
from src_core.diffusion.grids import crop, state_size
from src_core.diffusion.guard import Guarded, guard
from src_core.diffusion.kinds import random_field
from src_core.diffusion.schedule import Schedule
from src_core.fields import compose, exponential, folding_permille
from src_core.generation.model_view import ModelView, make_model_view
from src_core.generation.proof import prove, weak_points
from src_core.generation.session import start_flow
from src_core.models.model import Model, ModelSpec
from src_core.models.nn.velocity import VelocityUNetConfig
from tests.support.flows import enlarged_velocity

SIDE, SEEDS = 256, range(1, 31)
SCHEDULE = Schedule()


def model() -> Model:
    """A stand-in without a network: nothing here recovers."""
    network = VelocityUNetConfig()
    spec = ModelSpec(name="none", size=SIDE, schedule=SCHEDULE, network=network)
    return Model(spec, nn.Identity(), torch.device("cpu"), "")


def model_view() -> ModelView:
    image = np.random.default_rng(0).random((SIDE, SIDE, 1)).astype(np.float32)
    return make_model_view(Case.from_arrays(image, spacing=1.3), model().spec, "shared")


def velocity(seed: int, ndim: int = 2, schedule: Schedule = SCHEDULE) -> Tensor:
    return enlarged_velocity(schedule, ndim, seed)


def random_ddf(v: Tensor, times: list[float], schedule: Schedule = SCHEDULE) -> Tensor:
    """``exp(time v)`` over the image."""
    tau = torch.tensor(times)
    return random_field(schedule).ddf(v * tau.view(-1, *[1] * (v.dim() - 1)), tau)


def length(u: Tensor) -> Tensor:
    return torch.linalg.vector_norm(u, dim=1)


@pytest.fixture(scope="module")
def runs() -> list[tuple[Tensor, Guarded]]:
    """Per seed the saved field of level 70 without a guard, (1, 2, 256, 256), and guarded."""
    place, stand_in, found = model_view(), model(), []
    for seed in SEEDS:
        flow = start_flow(stand_in, seed, level=70)
        bare = place.saved_slab(flow.displacement())
        found.append((bare, guard(flow, lambda u: weak_points(place, u))))
    return found


def test_level_70_is_a_strong_deformation(runs: list[tuple[Tensor, Guarded]]) -> None:
    largest = [100 * float(length(bare).max()) / SIDE for bare, _ in runs]
    assert np.mean(largest) >= 18
    assert np.mean([100 * float(length(bare).mean()) / SIDE for bare, _ in runs]) > 7


def test_level_70_hardly_folds_before_any_guard(runs: list[tuple[Tensor, Guarded]]) -> None:
    assert np.mean([float(folding_permille(bare)) for bare, _ in runs]) < 0.5
    assert np.mean([prove(bare).strict_folding_permille for bare, _ in runs]) < 1.2


def test_every_guarded_field_is_certified_and_hardly_smaller(
    runs: list[tuple[Tensor, Guarded]],
) -> None:
    place = model_view()
    proofs = [prove(place.saved_slab(guarded.displacement)) for _, guarded in runs]
    assert min(proof.min_det for proof in proofs) >= 0.01
    assert all(proof.certified for proof in proofs)
    assert np.mean([guarded.scale for _, guarded in runs]) >= 0.98
    assert any(not prove(bare).certified for bare, _ in runs), "there was nothing to guard"
    kept = [
        float(length(place.saved_slab(guarded.displacement)).max() / length(bare).max())
        for bare, guarded in runs
    ]
    assert np.mean(kept) > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_the_path_in_level_is_smooth(seed: int) -> None:
    v = velocity(seed)
    longest, before = float(length(v).max()), torch.zeros(1)
    for level in range(81):
        after = random_ddf(v, [SCHEDULE.tau(level)])
        if level:
            allowed = 1.2 * (SCHEDULE.tau(level) - SCHEDULE.tau(level - 1)) * longest
            assert float(length(after - before).max()) <= allowed, f"between {level - 1}, {level}"
        else:
            assert not after.any()
        before = after


def test_levels_are_one_flow() -> None:
    """exp(tau(60) v) is exp(tau(40) v) followed by the rest; the border aside."""
    v = velocity(3)
    first, whole = SCHEDULE.tau(40), SCHEDULE.tau(60)
    parts = compose(exponential(v * first, 8), exponential(v * (whole - first), 8))
    gap = crop(parts - exponential(v * whole, 8))
    assert float(length(gap).mean()) < 0.02
    assert float(length(gap).quantile(0.99)) < 0.2


def test_a_batch_holds_each_item_s_own_time() -> None:
    v = torch.cat([velocity(1), velocity(2)])
    both = random_ddf(v, [10.0, 90.0])
    alone = random_ddf(v[1:], [90.0])
    torch.testing.assert_close(both[1:], alone)
    assert both.shape == (2, 2, 64, 64)


@pytest.mark.parametrize("ndim", [2, 3])
def test_sizes_of_the_grids(ndim: int) -> None:
    schedule = Schedule(control=16, components=(16, 8), refine=2)
    v = velocity(0, ndim, schedule)
    assert v.shape == (1, ndim, *[32] * ndim)
    assert state_size(schedule) == 16
    assert random_ddf(v, [5.0], schedule).shape == (1, ndim, *[16] * ndim)


def test_the_crop_is_the_centre_half() -> None:
    field = torch.arange(8.0 * 12).reshape(1, 1, 8, 12)
    torch.testing.assert_close(crop(field), field[:, :, 2:6, 3:9])


def test_refining_changes_the_unit_of_the_velocity_with_the_grid() -> None:
    coarse = velocity(5, schedule=Schedule(refine=1))
    fine = velocity(5, schedule=Schedule(refine=2))
    means = torch.nn.functional.avg_pool2d(fine, 2)[:, :, 2:-2, 2:-2]
    smooth = torch.nn.functional.avg_pool2d(coarse, 3, 1, 1)[:, :, 2:-2, 2:-2]
    assert float((means * smooth).sum() / smooth.square().sum()) == pytest.approx(2, abs=0.15)
