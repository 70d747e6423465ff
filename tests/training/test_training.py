"""Training: samples that depend on their index alone, runs that resume bit for bit, learning."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter

from src_core.datasets.reading import read_images
from src_core.diffusion.random_field import (
    draw,
    generator,
    multiscale_velocity,
    state_velocity,
    velocity_unit,
)
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.fields import enlarge, exponential
from src_core.fields.sampling import warp
from src_core.models.library import load_model
from src_core.models.preprocessing import Preprocessing
from src_core.training import TrainConfig, TrainingProgress, read_config, train
from src_core.training.batches import draw_sample, make_batch
from src_core.training.config import Augmentation, Optimisation, Stage
from src_core.training.data import ModelGrid, Store, load_store
from src_core.training.loop import Trainer
from src_core.training.run import start_from
from src_core.training.state import load_state, save_state
from tests.support.paths import ROOT

CONFIGS = ROOT / "resources" / "configs"

SCHEDULE = Schedule(control=16, components=(16, 8, 4), sigma=6e-4)
GRID = ModelGrid(64, 2, Preprocessing())
STEPS, BATCH = 8, 2
STILL = Augmentation(
    free_rotation=0,
    rotation=0,
    translation=0,
    flip=0,
    crop=(1, 1),
    aspect=0,
    gain=0,
    offset=0,
    threshold=0,
)


def config(**changes: object) -> TrainConfig:
    values = {
        "name": "tiny",
        "seed": 5,
        "size": 64,
        "schedule": SCHEDULE,
        "network": {
            "kind": "velocity-unet",
            "stem": 8,
            "widths": (16, 24),
            "output_stage": 0,
            "middle": 1,
        },
        "optimisation": Optimisation(
            samples=STEPS * BATCH, batch=BATCH, warmup=4, log_every=2, checkpoint_minutes=1e-9
        ),
    }
    return TrainConfig.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two anisotropic, oblong volumes of smooth noise."""
    folder = tmp_path_factory.mktemp("dataset")
    for i, shape in enumerate([(40, 56, 3), (48, 30, 2)]):
        noise = np.random.default_rng(i).normal(size=shape)
        image = (1000 * gaussian_filter(noise, (2.5, 2.5, 0))).astype(np.int16)
        affine = np.diag([1.2, 1.7, 8.0, 1.0])
        nib.save(nib.Nifti1Image(image, affine), folder / f"case{i}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def store(dataset: Path) -> Store:
    return load_store(read_images(dataset), GRID, dataset / "unused")


def states(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "state.safetensors")


def facts(run: Path) -> dict[str, str]:
    with safe_open(run / "state.safetensors", framework="pt") as file:
        return dict(file.metadata())


@pytest.fixture(scope="module")
def whole(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[TrainingProgress]]:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, list(train(dataset, config(), out))


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


def test_a_sample_depends_on_seed_and_index_alone(store: Store) -> None:
    settings, stage = config(), Stage(until=1.0)
    draws = [draw_sample(settings, stage, store.shares, i, 2) for i in range(6)]
    torch.manual_seed(99)
    again = draw_sample(settings, stage, store.shares, 3, 2)
    together = make_batch(settings, store.images, draws[2:5])
    alone = make_batch(settings, store.images, [again])
    assert torch.equal(together.images[1:2], alone.images)
    assert torch.equal(together.targets[1:2], alone.targets)
    assert together.levels[1] == alone.levels[0]
    assert len({float(d.velocity.sum()) for d in draws}) == 6
    other = draw_sample(config(seed=6), stage, store.shares, 3, 2)
    assert not torch.equal(other.velocity, again.velocity)


def test_a_still_sample_is_the_image_and_no_target(store: Store) -> None:
    settings = config(augmentation=STILL)
    stage = Stage(until=1.0, undeformed=1.0)
    one = draw_sample(settings, stage, store.shares, 4, 2)
    batch = make_batch(settings, store.images, [one])
    torch.testing.assert_close(batch.images, store.images[one.image][None].float() / 255)
    assert not batch.targets.any()


def test_a_sample_is_the_image_deformed_by_its_velocity(store: Store) -> None:
    """Without pose, contrast and disturbance: I(x + exp(tau v)), the target v in its unit."""
    schedule = SCHEDULE.model_copy(update={"disturbance": 0.0})
    settings = config(augmentation=STILL, schedule=schedule)
    stage = Stage(until=1.0, levels=(60, 60), weaker=0, undeformed=0)
    one = draw_sample(settings, stage, store.shares, 7, 2)
    batch = make_batch(settings, store.images, [one])
    v = multiscale_velocity(draw(schedule, 2, generator(settings.seed, 7)), schedule)
    u = exponential(state_velocity(v, schedule) * schedule.tau(60), schedule.squarings)
    u = enlarge(u[:, :, 8:24, 8:24], 4)
    expected = warp(store.images[one.image][None].float() / 255, u, padding="zeros")
    torch.testing.assert_close(batch.images, expected, atol=1e-5, rtol=0)
    assert u.abs().max() > 2
    torch.testing.assert_close(batch.targets, v[:, :, 4:12, 4:12] / velocity_unit(schedule))
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


def test_stages_and_learning_rate_count_samples(store: Store) -> None:
    stages = (Stage(until=0.25, levels=(45, 80)), Stage(until=1.0))
    settings = Optimisation(samples=1000, batch=10, learning_rate=0.5, warmup=100)
    trainer = Trainer(config(curriculum=stages, optimisation=settings), store)
    assert [trainer.stage(s) for s in (0, 249, 250, 1000)] == [stages[i] for i in (0, 0, 1, 1)]
    assert trainer.learning_rate(0) == pytest.approx(0.05, rel=1e-3)
    assert trainer.learning_rate(500) == pytest.approx(0.5 * 0.51)
    assert trainer.learning_rate(1000) == pytest.approx(0.01)


def test_one_batch_can_be_learnt_by_heart(store: Store) -> None:
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 3", "name"),
        ("nme = 'x'", "Field required"),
        ("name = 'x'\n[schedule]\nlevels = 0", "schedule.levels"),
        ("name = 'x'\nunknown = 1", "unknown"),
        ("name = ", "not TOML"),
        ("name = 'x'\nsize = 250", "size 250 and control 64 do not fit"),
        ("name = 'x'\nsize = 128", "the network answers on 16 points"),
        ("name = 'x'\n[network]\nkind = 'velocity-unet'\ngroups = 5", "multiples of groups"),
    ],
)
def test_a_wrong_config_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_configs_and_data_sets_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config cannot be read"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(InputError, match="no such data set"):
        next(train(tmp_path / "none", config(), tmp_path / "run"))
    with pytest.raises(InputError, match="data set is empty"):
        next(train(tmp_path, config(), tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda p: p.stem)
def test_every_config_that_ships_can_be_trained(path: Path) -> None:
    config = read_config(path)
    assert config.curriculum[-1].until == 1.0
    assert config.licence and config.data


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
