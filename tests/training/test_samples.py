"""Training samples: they depend on seed and index alone, and are what the method says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.datasets.reading import read_images
from src_core.diffusion.kinds import random_field
from src_core.fields import enlarge, exponential
from src_core.fields.sampling import warp
from src_core.training.batches import draw_sample, make_batch
from src_core.training.config import Stage
from src_core.training.data import Store, load_store
from tests.support.flows import control_velocity
from tests.support.trainings import GRID, SCHEDULE, STILL, config


def test_a_sample_depends_on_seed_and_index_alone(store: Store) -> None:
    settings, stage = config(), Stage(until=1.0)
    draws = [draw_sample(settings, stage, store.shares, i, 2) for i in range(6)]
    torch.manual_seed(99)
    again = draw_sample(settings, stage, store.shares, 3, 2)
    together = make_batch(settings, store, draws[2:5])
    alone = make_batch(settings, store, [again])
    assert torch.equal(together.images[1:2], alone.images)
    assert torch.equal(together.targets[1:2], alone.targets)
    assert together.levels[1] == alone.levels[0]
    assert len({float(d.velocity[0].sum()) for d in draws}) == 6
    other = draw_sample(config(seed=6), stage, store.shares, 3, 2)
    assert not torch.equal(other.velocity[0], again.velocity[0])


def test_a_still_sample_is_the_image_and_no_target(store: Store) -> None:
    settings = config(augmentation=STILL)
    stage = Stage(until=1.0, undeformed=1.0)
    one = draw_sample(settings, stage, store.shares, 4, 2)
    batch = make_batch(settings, store, [one])
    torch.testing.assert_close(batch.images, store.images[one.image][None].float() / 255)
    assert not batch.targets.any()


def test_a_sample_is_the_image_deformed_by_its_velocity(store: Store) -> None:
    """Without pose, contrast and disturbance: I(x + exp(tau v)), the target v in its unit."""
    schedule = SCHEDULE.model_copy(update={"disturbance": 0.0})
    settings = config(augmentation=STILL, schedule=schedule)
    stage = Stage(until=1.0, levels=(60, 60), weaker=0, undeformed=0)
    one = draw_sample(settings, stage, store.shares, 7, 2)
    batch = make_batch(settings, store, [one])
    v, field = control_velocity(schedule, 2, settings.seed, 7), random_field(schedule)
    u = exponential(field.enlarged(v) * schedule.tau(60), schedule.squarings)
    u = enlarge(u[:, :, 8:24, 8:24], 4)
    expected = warp(store.images[one.image][None].float() / 255, u, padding="zeros")
    torch.testing.assert_close(batch.images, expected, atol=1e-5, rtol=0)
    assert u.abs().max() > 2
    torch.testing.assert_close(batch.targets, v[:, :, 4:12, 4:12] / field.unit)
    assert float(batch.targets.std()) == pytest.approx(1, abs=0.4)


def test_levels_and_amplitudes_follow_the_stage(store: Store) -> None:
    stage = Stage(until=1.0, levels=(45, 50), weaker=0.5, undeformed=0.25)
    draws = [draw_sample(config(), stage, store.shares, i, 2) for i in range(300)]
    assert {d.level for d in draws} == set(range(45, 51))
    amplitudes = np.array([d.amplitude for d in draws])
    assert (amplitudes == 0).mean() == pytest.approx(0.25, abs=0.08)
    assert (amplitudes == 1).mean() == pytest.approx(0.25, abs=0.08)
    assert amplitudes[(amplitudes > 0) & (amplitudes < 1)].mean() == pytest.approx(0.5, abs=0.08)


def test_weights_of_a_data_set_are_drawing_shares(dataset: Path, tmp_path: Path) -> None:
    table = tmp_path / "set.csv"
    rows = [f"{dataset / 'case0.nii.gz'},1", f"{dataset / 'case1.nii.gz'},3"]
    table.write_text("\n".join(["image,weight", *rows]), encoding="utf-8")
    found = load_store(read_images(table), GRID, tmp_path / "unused")
    assert found.images.shape == (5, 1, 64, 64)
    np.testing.assert_allclose(found.shares, [1 / 12] * 3 + [3 / 8] * 2)
