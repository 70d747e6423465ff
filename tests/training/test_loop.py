"""Steps of a training: stages, learning rate, one batch learnt by heart, steps left out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from src_core.training.config import Optimisation, Stage
from src_core.training.data import Store
from src_core.training.loop import Trainer
from src_core.training.state import load_state, save_state
from tests.support.trainings import config


def test_a_trainer_starts_with_its_average_and_keeps_count_of_skips(
    store: Store, tmp_path: Path
) -> None:
    trainer = Trainer(config(), store)
    average = trainer.average.state_dict()
    assert all(torch.equal(v, average[k]) for k, v in trainer.network.state_dict().items())
    trainer.samples, trainer.skipped = 8, 3
    save_state(tmp_path / "state.safetensors", trainer)
    again = Trainer(config(), store)
    load_state(tmp_path / "state.safetensors", again)
    assert (again.samples, again.skipped) == (8, 3)


def test_stages_and_learning_rate_count_samples(store: Store) -> None:
    stages = (Stage(until=0.25, levels=(45, 80)), Stage(until=1.0))
    settings = Optimisation(samples=1000, batch=10, learning_rate=0.5, warmup=100)
    trainer = Trainer(config(curriculum=stages, optimisation=settings), store)
    assert [trainer.stage(s) for s in (0, 249, 250, 1000)] == [stages[i] for i in (0, 0, 1, 1)]
    assert trainer.learning_rate(0) == pytest.approx(0.05, rel=1e-3)
    assert trainer.learning_rate(500) == pytest.approx(0.5 * 0.51)
    assert trainer.learning_rate(1000) == pytest.approx(0.01)


@pytest.mark.slow
def test_one_batch_can_be_memorised(store: Store) -> None:
    settings = Optimisation(samples=10**6, batch=4, learning_rate=3e-3, warmup=1)
    stages = (Stage(until=1.0, levels=(60, 70), weaker=0, undeformed=0),)
    trainer = Trainer(config(curriculum=stages, optimisation=settings), store)
    batch = trainer._batch(0)
    first = trainer._step(batch)
    for _ in range(120):
        loss, distance, angle, gradient = trainer._step(batch)
    assert first[1] > 0.5, "a fresh network predicts nothing"
    assert loss < 0.4 * first[0]
    assert distance < 0.3 * first[1] and angle < 0.4 * first[2] and gradient < first[3]


def test_a_step_that_is_not_finite_is_left_out(store: Store) -> None:
    trainer = Trainer(config(), store)
    batch = trainer._batch(0)
    batch.images[0, 0, 3, 3] = torch.nan
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    trainer._step(batch)
    assert trainer.skipped == 1
    assert all(torch.equal(v, before[k]) for k, v in trainer.network.state_dict().items())
