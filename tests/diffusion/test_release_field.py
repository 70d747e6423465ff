"""The release's random field chosen by name: its order and its scaling, on the state grid."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import generator, level_ddf
from src_core.diffusion.release_field import RELEASE, ReleaseField, release_ddf
from src_core.diffusion.schedule import Schedule
from src_core.fields.sampling import warp

FIELD = random_field(RELEASE)


def test_the_name_chooses_it() -> None:
    assert isinstance(FIELD, ReleaseField)
    assert not isinstance(random_field(Schedule()), ReleaseField)


@pytest.mark.parametrize("level", [1, 30, 48])
def test_it_is_the_release_s_field_in_the_grid_s_voxels(level: int) -> None:
    draws = FIELD.draw(2, generator(4))
    still = tuple(torch.zeros_like(d) for d in draws)
    published = release_ddf(draws, still, RELEASE.n_ddf(level))
    u = level_ddf(FIELD, FIELD.velocity(draws), torch.tensor([RELEASE.tau(level)]))
    assert u.shape == (1, 2, 64, 64) and float(published.norm()) > 0
    gap = u - avg_pool2d(published, 4) / 4
    inner = (..., slice(2, -2), slice(2, -2))  # their enlargement looks beyond the crop
    assert float(gap[inner].abs().max()) < 0.02 * float(u.abs().max())


def test_every_item_of_a_batch_has_its_own_compositions() -> None:
    v = torch.cat([FIELD.velocity(FIELD.draw(2, generator(i))) for i in (1, 2)])
    times = torch.tensor([RELEASE.tau(10), RELEASE.tau(40)])
    both = level_ddf(FIELD, v, times)
    torch.testing.assert_close(both[1:], level_ddf(FIELD, v[1:], times[1:]))
    assert not level_ddf(FIELD, v, torch.zeros(2)).any()


def test_noise_is_carried_along_the_velocity() -> None:
    v, noise = (3 * FIELD.velocity(FIELD.draw(2, generator(i))) for i in (1, 2))
    torch.testing.assert_close(FIELD.disturbed(v, noise), v + warp(noise, v))
    assert torch.equal(random_field(Schedule()).disturbed(v, noise), v + noise)
