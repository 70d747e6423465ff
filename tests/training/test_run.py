"""What a run does beside its steps: looks at itself, follows teachers, stops, and tidies up."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from src_core.datasets.reading import read_images
from src_core.errors import InputError
from src_core.fields import magnitude
from src_core.generation.session import start_flow
from src_core.models.checkpoint import read_spec
from src_core.models.model import Model, ModelSpec
from src_core.models.preprocessing import Preprocessing
from src_core.training import Hardware, TrainConfig, train
from src_core.training.config import Validation
from src_core.training.data import ModelGrid, load_store
from src_core.training.hardware import start_fabric
from src_core.training.loop import Trainer
from src_core.training.tables import append_rows, keep_until
from src_core.training.validation import Validator
from tests.support.files import rows_of

LOOKS = Validation(share=0.5, cases=2, levels=(10, 70), time=1e9)


def config(**changes: object) -> TrainConfig:
    values = {
        "name": "tiny",
        "size": 64,
        "schedule": {"control": 16, "components": (16, 8, 4), "sigma": 1.2e-4},
        "network": {"kind": "velocity-unet", "stem": 8, "widths": (16,), "output_stage": 0},
        "recovery": {"steps": 2},
        "validation": {"cases": 0},
        "optimisation": {
            "samples": 12,
            "batch": 2,
            "warmup": 4,
            "log_every": 2,
            "checkpoint_minutes": 1e-9,
        },
    }
    return TrainConfig.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    for i in range(2):
        noise = np.random.default_rng(i).normal(size=(40, 52, 3))
        image = (1000 * gaussian_filter(noise, (2.5, 2.5, 0))).astype(np.int16)
        nib.save(nib.Nifti1Image(image, np.diag([1.2, 1.7, 8, 1])), folder / f"case{i}.nii.gz")
    table = "image,split\ncase0.nii.gz,train\ncase1.nii.gz,val\n"
    (folder / "set.csv").write_text(table, encoding="utf-8")
    return folder / "set.csv"


def test_looking_changes_no_bit_of_the_training(dataset: Path, tmp_path: Path) -> None:
    reported: list[str] = []
    list(train(dataset, config(), tmp_path / "blind"))
    list(train(dataset, config(validation=LOOKS), tmp_path / "seeing", report=reported.append))
    blind, seeing = (load_file(tmp_path / n / "state.safetensors") for n in ("blind", "seeing"))
    assert blind.keys() == seeing.keys()
    assert [k for k in blind if not torch.equal(blind[k], seeing[k])] == []
    assert "validating on 2 images of 1 files held out" in reported
    table = rows_of(tmp_path / "seeing" / "validation.csv")
    assert [(r["samples"], r["level"]) for r in table] == [
        (samples, level) for samples in ("4", "8", "12") for level in ("10", "70")
    ]
    pictures = sorted(p.name for p in (tmp_path / "seeing" / "pictures").iterdir())
    assert pictures == ["000000004.png", "000000008.png", "000000012.png"]
    assert not (tmp_path / "blind" / "validation.csv").exists()


class Still(nn.Module):
    """A network that sees no deformation."""

    def forward(self, image: Tensor, level: Tensor) -> Tensor:
        return torch.zeros(1, 2, 8, 8)


def blind_model() -> Model:
    settings = config()
    spec = ModelSpec(name="still", size=64, schedule=settings.schedule, network=settings.network)
    return Model(spec, Still(), torch.device("cpu"), "")


def test_a_model_that_does_nothing_removes_nothing(tmp_path: Path) -> None:
    model = blind_model()
    Validator(LOOKS, ["a", "b"], torch.rand(2, 1, 64, 64), tmp_path).validate(model, 5, 1.0, False)
    for row in rows_of(tmp_path / "validation.csv"):
        level = int(row["level"])
        lengths = [
            magnitude(start_flow(model, 2**40, i, level=level).displacement()) * 100 / 16
            for i in range(2)
        ]
        assert float(row["removed"]) == pytest.approx(0, abs=1e-5) and float(row["drift"]) == 0
        assert float(row["mean"]) == pytest.approx(float(torch.cat(lengths).mean()), rel=1e-5)
        largest = np.mean([float(length.max()) for length in lengths])
        assert float(row["max"]) == pytest.approx(largest, rel=1e-5)


def test_looking_keeps_to_its_share_of_the_time(tmp_path: Path) -> None:
    settings = LOOKS.model_copy(update={"time": 0.05})
    eyes, model = Validator(settings, ["a"], torch.rand(1, 1, 64, 64), tmp_path), blind_model()
    for samples, seconds, last in [
        (1, 0.0, False),
        (2, 1e-3, False),
        (3, 1e6, False),
        (4, 0, True),
    ]:
        eyes.validate(model, samples, seconds, last)
    table = rows_of(tmp_path / "validation.csv")
    assert sorted({r["samples"] for r in table}) == ["1", "3", "4"]


def test_a_teacher_is_followed_named_and_needed_again(dataset: Path, tmp_path: Path) -> None:
    list(train(dataset, config(licence="CC0"), tmp_path / "old"))
    teacher = tmp_path / "old" / "tiny.safetensors"
    run = train(dataset, config(seed=7), tmp_path / "new", teacher=teacher)
    next(run)
    run.close()
    with pytest.raises(InputError, match=r"started with tiny \(CC0\).*the same teacher"):
        next(train(dataset, config(seed=7), tmp_path / "new", resume=True))
    list(train(dataset, config(seed=7), tmp_path / "new", teacher=teacher, resume=True))
    list(train(dataset, config(seed=7), tmp_path / "whole", teacher=teacher))
    list(train(dataset, config(seed=7), tmp_path / "alone"))
    new, whole, alone = (
        load_file(tmp_path / n / "state.safetensors")["network.stem.weight"]
        for n in ("new", "whole", "alone")
    )
    assert torch.equal(new, whole) and not torch.equal(new, alone)
    card = read_spec(tmp_path / "new" / "tiny.safetensors").card
    assert card.teacher.startswith("tiny (CC0), sha256 ") and "--teacher FILE" in card.command


def test_a_start_is_named_on_the_card_after_a_resume_too(dataset: Path, tmp_path: Path) -> None:
    list(train(dataset, config(licence="CC0"), tmp_path / "old"))
    start = tmp_path / "old" / "tiny.safetensors"
    next(train(dataset, config(seed=7), tmp_path / "new", init=start))
    list(train(dataset, config(seed=7), tmp_path / "new", resume=True))
    assert read_spec(tmp_path / "new" / "tiny.safetensors").card.start.startswith("tiny (CC0)")


@pytest.mark.parametrize("recursion", [1, 2])
def test_an_acnn_is_trained_on_windows_at_the_scale_of_the_whole(
    dataset: Path, tmp_path: Path, recursion: int
) -> None:
    acnn = {"kind": "acnn", "channels": (4, 8), "bottleneck": (8, 8, 8), "recursion": recursion}
    settings = config(network={**acnn, "output_unit": 0.02}, window=32)
    whole = settings.model_copy(update={"window": 0})
    store = load_store(read_images(dataset), ModelGrid(64, 2, Preprocessing()), tmp_path / "c")
    part, full = (Trainer(c, store)._batch(0) for c in (settings, whole))
    assert part.images.shape == (2, 1, 32, 32) and part.targets.shape == (2, 2, 32, 32)
    x, y = np.argwhere(
        (full.targets.unfold(2, 32, 1).unfold(3, 32, 1)[0] == part.targets[0][:, None, None])
        .all(0)
        .all(-1)
        .all(-1)
        .numpy()
    )[0]
    torch.testing.assert_close(full.images[:1, :, x : x + 32, y : y + 32], part.images[:1])
    *_, last = train(dataset, settings, tmp_path / "run")
    assert last.samples == 12 and last.skipped == 0


def test_a_training_without_finite_gradients_stops(dataset: Path, tmp_path: Path) -> None:
    store = load_store(read_images(dataset), ModelGrid(64, 2, Preprocessing()), tmp_path / "c")
    trainer = Trainer(config(), store)
    batch = trainer._batch(0)
    batch.images[0, 0, 3, 3] = torch.nan
    for _ in range(19):
        trainer._step(batch)
    with pytest.raises(InputError, match="not finite in 20 steps in a row, after 0 samples"):
        trainer._step(batch)


def test_rows_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    append_rows(table, [{"samples": n, "loss": n / 8} for n in (4, 8, 12)])
    with table.open("a") as file:
        file.write("16,0.")
    keep_until(table, 8)
    assert table.read_text() == "samples,loss\n4,0.5\n8,1.0\n"
    keep_until(tmp_path / "none.csv", 8)


def test_bf16_is_refused_on_a_cpu() -> None:
    with pytest.raises(InputError, match="bf16 is not safe on cpu"):
        start_fabric(Hardware("cpu", precision="bf16"))
