"""Trainings that resume bit for bit, change with their seed, and are not overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from src_core.errors import InputError
from src_core.models.library import load_model
from src_core.training import TrainingProgress, train
from src_core.training.data import Store
from src_core.training.loop import Trainer
from src_core.training.run import start_from
from tests.support.trainings import BATCH, SCHEDULE, STEPS, config, facts, states


@pytest.mark.parametrize(("saved", "died"), [(1, 1), (3, 3), (1, 3)])
def test_a_resumed_run_ends_in_the_same_bits(
    whole: tuple[Path, list[TrainingProgress]], dataset: Path, tmp_path: Path, saved: int, died: int
) -> None:
    """It died after a report, its last checkpoint being of that report or of an earlier one."""
    out = tmp_path / "run"
    run = train(dataset, config(), out)
    seen = [next(run) for _ in range(saved)]
    checkpoint = (out / "state.safetensors").read_bytes()
    for _ in range(died - saved):
        next(run)
    run.close()
    (out / "state.safetensors").write_bytes(checkpoint)
    torch.manual_seed(died)
    seen += list(train(dataset, config(), out, resume=True))
    assert [p.samples for p in seen] == [4, 8, 12, 16]
    ours, theirs = states(out), states(whole[0])
    assert ours.keys() == theirs.keys()
    assert [k for k in ours if not torch.equal(ours[k], theirs[k])] == []
    assert facts(out) == facts(whole[0])
    assert (out / "tiny.safetensors").read_bytes() == (whole[0] / "tiny.safetensors").read_bytes()
    assert [p.loss for p in seen] == [p.loss for p in whole[1]]


def test_a_run_changes_with_its_seed(
    whole: tuple[Path, list[TrainingProgress]], dataset: Path, tmp_path: Path
) -> None:
    list(train(dataset, config(seed=6), tmp_path / "run"))
    ours, theirs = states(tmp_path / "run"), states(whole[0])
    assert not torch.equal(ours["network.stem.weight"], theirs["network.stem.weight"])


def test_a_run_leaves_a_model_that_loads(whole: tuple[Path, list[TrainingProgress]]) -> None:
    out, reports = whole
    model = load_model(out / "tiny.safetensors", "cpu")
    assert model.spec.schedule == SCHEDULE
    assert model.spec.card.figures["samples"] == STEPS * BATCH == reports[-1].samples
    low, high = model.spec.mm_per_pixel
    sides = [max(40 * 1.2, 56 * 1.7) / 64, max(48 * 1.2, 30 * 1.7) / 64]
    assert (low, high) == pytest.approx((min(sides) * 0.6, max(sides)))
    average = states(out)["average.head.weight"]
    assert torch.equal(model.network.state_dict()["head.weight"], average)
    assert len((out / "log.csv").read_text().splitlines()) == 1 + len(reports)


def test_a_run_is_not_overwritten_and_resumes_only_as_itself(
    whole: tuple[Path, list[TrainingProgress]], dataset: Path, tmp_path: Path
) -> None:
    out, before = whole[0], states(whole[0])
    with pytest.raises(InputError, match="a run is there already"):
        next(train(dataset, config(), out))
    with pytest.raises(InputError, match="another config"):
        next(train(dataset, config(seed=6), out, resume=True))
    (tmp_path / "data").mkdir()
    only = dataset / "case0.nii.gz"
    (tmp_path / "data" / only.name).write_bytes(only.read_bytes())
    with pytest.raises(InputError, match="other images"):
        next(train(tmp_path / "data", config(), out, resume=True))
    with pytest.raises(InputError, match="no run to resume"):
        next(train(dataset, config(), tmp_path / "none", resume=True))
    assert not (tmp_path / "none").exists()
    assert all(torch.equal(v, before[k]) for k, v in states(out).items())


def test_training_leaves_the_global_generators_alone(dataset: Path, tmp_path: Path) -> None:
    torch.manual_seed(11)
    state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    list(train(dataset, config(), tmp_path / "run"))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_a_run_can_start_from_a_model_of_the_same_network(
    whole: tuple[Path, list[TrainingProgress]], dataset: Path, store: Store, tmp_path: Path
) -> None:
    model = whole[0] / "tiny.safetensors"
    run = train(dataset, config(seed=9), tmp_path / "run", init=model)
    trainer = Trainer(config(seed=9), store)
    start_from(trainer, model)
    wanted = load_file(model)
    for network in (trainer.network, trainer.average):
        assert [k for k, v in network.state_dict().items() if not torch.equal(v, wanted[k])] == []
    assert len(list(run)) == len(whole[1])
    other = config(network={**config().network.model_dump(), "middle": 2})
    with pytest.raises(InputError, match="another network"):
        next(train(dataset, other, tmp_path / "other", init=model))
    assert not (tmp_path / "other").exists()
