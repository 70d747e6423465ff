"""Organs in training: maps by labels, natural variation, their loss, and a model that has them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from src_core.datasets.reading import read_images
from src_core.errors import InputError
from src_core.fields.sampling import identity
from src_core.generation import generate
from src_core.io import read_case
from src_core.models.library import load_model
from src_core.models.preprocessing import Preprocessing
from src_core.training import losses, train
from src_core.training.batches import Batch, draw_sample, make_batch
from src_core.training.config import Natural, Optimisation, Stage, TrainConfig
from src_core.training.data import ModelGrid, Store, load_store
from src_core.training.organs import draw_natural, organ_maps, varied
from tests.support import trainings

ORGANS = ({"name": "wall", "labels": (1, 2)}, {"name": "cavity", "labels": (2,)})
SHAPE, SPACING = (48, 36, 2), (1.2, 1.7, 8.0)
STILL_STAGE = Stage(until=1.0, undeformed=1.0)


def config(**changes: Any) -> TrainConfig:
    network = {"kind": "velocity-unet", "stem": 8, "widths": (16, 24), "output_stage": 0,
               "middle": 1, "organs": 2}  # fmt: skip
    return trainings.config(**{"network": network, "organs": ORGANS, **changes})


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a disc in a disc on both slices, one whose slices have no labels."""
    folder = tmp_path_factory.mktemp("labelled")
    affine = np.diag([*SPACING, 1])
    for i in range(2):
        noise = np.random.default_rng(i).normal(size=SHAPE)
        image = (1000 * gaussian_filter(noise, (2.5, 2.5, 0))).astype(np.int16)
        nib.save(nib.Nifti1Image(image, affine), folder / f"case{i}.nii.gz")
    nib.save(nib.Nifti1Image(labels(), affine), folder / "labels0.nii.gz")
    rows = "image,labels\ncase0.nii.gz,labels0.nii.gz\ncase1.nii.gz,\n"
    (folder / "set.csv").write_text(rows, encoding="utf-8")
    return folder / "set.csv"


def labels() -> np.ndarray:
    x, y = np.meshgrid(np.arange(48) - 25, np.arange(36) - 16, indexing="ij")
    away = np.hypot(x * SPACING[0], y * SPACING[1])
    rings = (away <= 15).astype(np.uint8) + (away <= 8)
    return np.repeat(rings[..., None], 2, -1).astype(np.uint8)


@pytest.fixture(scope="module")
def store(table: Path) -> Store:
    settings = config()
    grid = ModelGrid(64, 2, Preprocessing(), settings.organs, 16)
    return load_store(read_images(table), grid, table.parent / "unused")


def batch(store: Store, settings: TrainConfig, stage: Stage, images: tuple[int, ...]) -> Batch:
    """The samples 0, 1, ... of given images."""
    draws = []
    for index, image in enumerate(images):
        shares = np.eye(len(store.images))[image]
        draws.append(draw_sample(settings, stage, shares, index, 2))
    return make_batch(settings, store, draws)


def test_maps_of_labelled_images_are_as_large_as_the_organs(store: Store) -> None:
    assert store.organs is not None
    assert store.organs.maps.shape == (4, 2, 16, 16)
    assert store.organs.labelled.tolist() == [True, True, False, False]
    pixel = max(n * s for n, s in zip(SHAPE[:2], SPACING[:2], strict=True)) / 16
    for organ, values in enumerate(((1, 2), (2,))):
        wanted = np.isin(labels()[..., 0], values).sum() * SPACING[0] * SPACING[1]
        found = store.organs.maps[:2, organ].float().sum((1, 2)) / 255 * pixel**2
        assert found.tolist() == pytest.approx([wanted] * 2, rel=0.03)


def test_maps_of_a_still_sample_are_those_of_its_image(store: Store) -> None:
    made = batch(store, config(augmentation=trainings.STILL), STILL_STAGE, (1, 2))
    assert store.organs is not None and made.organs is not None
    torch.testing.assert_close(made.organs[0], store.organs.maps[1].float() / 255)
    assert torch.equal(made.organs[1], torch.full((2, 16, 16), -1.0))


@pytest.mark.parametrize("rate", [0.25, -0.25])
def test_natural_variation_changes_the_size_by_its_rate(store: Store, rate: float) -> None:
    assert store.organs is not None
    still = identity([64, 64], torch.zeros(1))
    at = varied(still, store.organs, [0], [np.array([rate, 0, 0, 0, 0])])
    before, after = (organ_maps(store.organs, [0], p)[0].sum((1, 2)) for p in (still, at))
    wall, cavity = ((after / before).log() / -2).tolist()
    assert cavity == pytest.approx(rate, abs=0.03)
    # A wall that grows reaches where its mode fades out.
    assert wall == pytest.approx(rate, abs=0.03 if rate > 0 else 0.05)


def test_a_natural_shift_is_a_share_of_the_side(store: Store) -> None:
    assert store.organs is not None
    still = identity([64, 64], torch.zeros(1))
    at = varied(still, store.organs, [0], [np.array([0, 0, 0, 0.05, -0.03])])
    inside = (organ_maps(store.organs, [0], still)[0, 0] > 0.99).repeat_interleave(4, 0)
    moved = (at - still)[0][:, inside.repeat_interleave(4, 1)]
    assert moved.mean(1).tolist() == pytest.approx([0.05 * 64, -0.03 * 64], rel=0.03)


def test_natural_variation_is_of_labelled_images_alone_and_never_a_target(store: Store) -> None:
    stage = Stage(until=1.0, weaker=0, undeformed=0)
    plain = batch(store, config(), stage, (0, 1, 2, 3))
    natural = batch(store, config(natural=Natural(share=1)), stage, (0, 1, 2, 3))
    assert torch.equal(natural.targets, plain.targets) and plain.targets.any()
    assert torch.equal(natural.images[2:], plain.images[2:])
    assert natural.organs is not None and plain.organs is not None
    for i in (0, 1):
        assert float((natural.images[i] - plain.images[i]).abs().max()) > 0.05
        assert float((natural.organs[i] - plain.organs[i]).abs().max()) > 0.05


def test_a_natural_sample_depends_on_seed_and_index_alone(store: Store) -> None:
    settings, stage = config(natural=Natural(share=0.5)), Stage(until=1.0)
    draws = [draw_sample(settings, stage, store.shares, i, 2) for i in range(8)]
    torch.manual_seed(7)
    again = draw_sample(settings, stage, store.shares, 5, 2)
    np.testing.assert_array_equal(draws[5].natural, again.natural)
    together, alone = (make_batch(settings, store, d) for d in (draws[4:7], [again]))
    assert together.organs is not None and alone.organs is not None
    assert torch.equal(together.images[1:2], alone.images)
    assert torch.equal(together.organs[1:2], alone.organs)
    assert {bool(d.natural.any()) for d in draws} == {True, False}


@pytest.mark.parametrize(("ndim", "pose"), [(2, 3), (3, 6)])
def test_rates_end_at_two_deviations(ndim: int, pose: int) -> None:
    settings = Natural(share=0.6, size=0.3, common=0.4, turn=0.2, shift=0.1)
    rng = np.random.default_rng(3)
    rates = np.stack([draw_natural(settings, rng, 2, ndim) for _ in range(2000)])
    assert rates.shape[1] == 2 + pose
    varying = rates.any(1)
    assert varying.mean() == pytest.approx(0.6, abs=0.04)
    deviations = np.array([0.5] * 2 + [0.2] * (pose - ndim) + [0.1] * ndim)
    np.testing.assert_allclose(np.abs(rates).max(0), 2 * deviations)
    # A normal deviate cut off at 2 deviations has 0.96 of its deviation.
    np.testing.assert_allclose(rates[varying].std(0), 0.96 * deviations, rtol=0.07)
    common = np.corrcoef(rates[varying][:, :2].T)[0, 1]
    assert common == pytest.approx(0.4**2 / 0.5**2, abs=0.07)


def test_the_loss_of_perfect_maps_is_nothing_and_of_unknown_ones_too() -> None:
    truth = torch.zeros(2, 2, 12, 10)
    truth[:, 0, 2:8, 3:7], truth[:, 1, 3:5, 4:6] = 1, 1
    perfect = (truth * 2 - 1) * 30
    assert float(losses.organs(perfect, truth)) < 1e-5
    assert float(losses.organs(-perfect, truth)) > 100
    unknown = truth.clone()
    unknown[1] = -1
    logits = torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(losses.organs(logits, unknown), losses.organs(logits[:1], truth[:1]))
    assert float(losses.organs(logits, torch.full_like(truth, -1))) == 0


def test_the_loss_of_maps_without_a_guess_is_known() -> None:
    """Logits of 0, half of a map filled: 10 log 2, and a Dice of (n/2 + 1) / (n + 1)."""
    truth, count = torch.zeros(1, 1, 4, 6), 24
    truth[..., :3] = 1
    expected = 10 * math.log(2) + 1 - (count / 2 + 1) / (count + 1)
    assert float(losses.organs(torch.zeros_like(truth), truth)) == pytest.approx(expected)


@pytest.mark.parametrize("known", [True, False])
def test_gradients_of_the_loss_are_finite(known: bool) -> None:
    numbers = torch.randn(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    logits = (numbers[0] * 200).requires_grad_()
    truth = (numbers[1] > 0).float() if known else torch.full((2, 3, 8, 8), -1.0)
    losses.organs(logits, truth).backward()
    assert logits.grad is not None and bool(logits.grad.isfinite().all())
    assert bool(logits.grad.any()) is known


def test_a_training_with_organs_ends_with_a_model_that_keeps_variety(
    table: Path, tmp_path: Path
) -> None:
    settings = config(
        natural=Natural(share=0.5),
        validation={"cases": 0},
        recovery={"steps": 2, "variety": 0.5},
        optimisation=Optimisation(samples=6, batch=2, warmup=1),
    )
    progress = list(train(table, settings, tmp_path / "run"))
    assert progress[-1].samples == 6 and progress[-1].skipped == 0
    assert math.isfinite(progress[-1].loss)
    model = load_model(next((tmp_path / "run").glob("tiny*.safetensors")))
    assert model.spec.organs == settings.organs and model.spec.recovery.variety == 0.5
    case = read_case(table.parent / "case1.nii.gz")
    own, most, none = (
        generate(case, model, level=60, seed=2, variety=v).displacement for v in (None, 1, 0)
    )
    assert not np.array_equal(own, none) and not np.array_equal(own, most)
    assert np.isfinite(most).all()


def test_organs_need_labels_in_the_data(table: Path, tmp_path: Path) -> None:
    plain = tmp_path / "set.csv"
    plain.write_text(f"image\n{table.parent / 'case0.nii.gz'}\n", encoding="utf-8")
    settings = config(validation={"cases": 0})
    with pytest.raises(InputError, match="no image has labels of the config's organs"):
        list(train(plain, settings, tmp_path / "run"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"organs": ORGANS[:1]}, "network.organs is 2, but 1 organs are described"),
        ({"organs": ()}, "network.organs is 2, but 0 organs are described"),
        ({"window": 32}, "organs need whole images: leave window out"),
    ],
)
def test_a_config_that_contradicts_its_organs_is_refused(changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**changes)
    with pytest.raises(ValueError, match="natural variation needs organs"):
        trainings.config(natural=Natural(share=0.5))
