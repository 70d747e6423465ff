"""A random field from outside the package: registered here, then trained on, generated, evaluated.

It moves the whole plane by one Gaussian vector, so everything about it has a closed form.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import src_core as drdm
from src_core.cases.grid import Grid
from src_core.datasets.entry import Entry
from src_core.diffusion import kinds
from src_core.diffusion.kinds import random_field, register_random_field
from src_core.diffusion.multiscale_field import MultiscaleField
from src_core.diffusion.random_field import Draws, RandomField, generator, unit_velocities
from src_core.diffusion.schedule import Schedule
from src_core.errors import ArgumentError, InputError
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.field_rows import Comparison
from src_core.evaluation.plan import EvaluationPlan
from src_core.evaluation.trials import measure_cases
from src_core.generation.session import flow_of, start_flow
from src_core.models.checkpoint import read_spec
from src_core.models.model import Model
from src_core.training import read_config, train
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan
from tests.support.tiny import OBLIQUE


# --8<-- [start:field]
@dataclass(frozen=True)
class PlaneShift(RandomField):
    """One Gaussian vector, the same everywhere: the image moves as a whole."""

    @property
    def unit(self) -> float:
        return self.schedule.settings["spread"]

    def draw(self, ndim: int, source: torch.Generator) -> Draws:
        return (torch.randn(1, ndim, generator=source),)

    def velocity(self, draws: Draws) -> Tensor:
        (vector,) = draws
        ndim, side = vector.shape[1], self.schedule.control
        return self.unit * vector.view(-1, ndim, *[1] * ndim).expand(-1, -1, *[side] * ndim)


# --8<-- [end:field]

SPREAD = 0.004
CONFIG = f"""
name = "shifted"
size = 64
[schedule]
name = "plane-shift"
control = 16
settings = {{ spread = {SPREAD} }}
[network]
kind = "velocity-unet"
stem = 8
widths = [8, 8]
output_stage = 0
embedding = 8
middle = 1
[optimisation]
samples = 16
batch = 4
[validation]
cases = 1
levels = [48]
"""


def _not_asked(*_: Any, **__: Any) -> Any:
    raise AssertionError("the multiscale field was asked")


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    """The toy by name, and the shipped field out of reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kinds, "RANDOM_FIELDS", dict(kinds.RANDOM_FIELDS))
        for name in ("draw", "velocity", "unit", "octaves"):
            patch.setattr(MultiscaleField, name, _not_asked)
        register_random_field("plane-shift", PlaneShift)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one volume, and the model trained on it."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "data").mkdir()
    values = np.random.default_rng(0).integers(0, 200, (44, 60, 3)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, OBLIQUE), folder / "data" / "a.nii.gz")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    *_, last = train(folder / "data", read_config(folder / "config.toml"), folder / "run")
    assert last.samples == 16 and np.isfinite(last.loss)
    return folder


@pytest.fixture(scope="module")
def model(home: Path) -> Model:
    return drdm.load_model(home / "run" / "shifted.safetensors", device="cpu")


def shift(model: Model, *seeds: int, level: int) -> Tensor:
    """The closed form: ``tau v`` everywhere, (2,), state voxels."""
    (vector,) = PlaneShift(model.spec.schedule).draw(2, generator(*seeds))
    schedule = model.spec.schedule
    return schedule.tau(level) * SPREAD * schedule.refine * vector[0]


def test_a_trained_model_knows_its_field(model: Model) -> None:
    assert model.spec.schedule.name == "plane-shift"
    assert model.spec.random_field == PlaneShift(model.spec.schedule)


def test_a_flow_moves_the_plane_as_one(model: Model) -> None:
    for level in (1, 30, 80):
        u = start_flow(model, 7, 2, level=level).displacement()
        wanted = shift(model, 7, 2, level=level).view(1, 2, 1, 1).expand_as(u)
        torch.testing.assert_close(u, wanted, atol=1e-5, rtol=1e-4)


def test_draws_are_a_value_that_can_be_saved(model: Model, tmp_path: Path) -> None:
    field = model.spec.random_field
    draws = field.draw(2, generator(4))
    save_file({"0": draws[0]}, tmp_path / "draws.safetensors")
    again = (load_file(tmp_path / "draws.safetensors")["0"],)
    wanted = start_flow(model, 4, level=50).displacement()
    assert torch.equal(flow_of(model.spec, again, 50).displacement(), wanted)
    assert torch.equal(field.variances(draws)[0], torch.ones(1, 2))


def test_statistics_are_those_of_the_closed_form(model: Model) -> None:
    """Both components are N(0, spread^2): 4,000 draws leave about 1.1 % of doubt."""
    drawn = unit_velocities(model.spec.random_field, 2, 4000, generator(9))
    assert drawn.shape == (4000, 2, 16, 16)
    assert torch.equal(drawn, drawn[:, :, :1, :1].expand_as(drawn))
    spread = drawn[:, :, 0, 0].std(0)
    np.testing.assert_allclose(spread, 1, atol=0.05)


def test_an_image_is_generated_through_it(model: Model, home: Path) -> None:
    case = drdm.read_case(home / "data" / "a.nii.gz")
    first, *_ = drdm.recover(case, model, level=60, seed=3)
    mm = first.view.fit.mm_per_pixel * 64 / 16
    wanted = float(shift(model, 3, level=60).norm()) * mm
    lengths = np.linalg.norm(first.displacement(), axis=-1)
    np.testing.assert_allclose(lengths, wanted, rtol=1e-3)
    result = drdm.generate(case, model, level=60, seed=3)
    assert result.metrics["certified"] and result.metrics["max_mm"] > 0
    same = drdm.generate(case, model, level=60, seed=3)
    assert (same.displacement == result.displacement).all()
    assert result.recipe["outputs"] == same.recipe["outputs"]


def test_evaluation_and_transforms_take_it_too(model: Model, home: Path) -> None:
    entry = Entry(home / "data" / "a.nii.gz", None, "a")
    plan = EvaluationPlan(
        levels=(48,), seeds=1, rows=("random", "recovered"), steps=(2,), elastic_points=11
    )
    still, at_level = measure_cases(Comparison(model, plan, Anatomy(())), [entry])
    random, recovered = (record.figures for record in at_level.records)
    code = zlib.crc32(entry.name.encode())
    percent = 100 / 16 * float(shift(model, 1, code, level=48).norm())
    assert random["mean"] == pytest.approx(percent, rel=1e-3)
    assert random["energy"] == pytest.approx(percent**2, rel=1e-3)
    assert random["energy"] == pytest.approx(random["energy_finer"]), "it has no octaves"
    assert recovered["mean"] > 0 and still.records[0].figures["mean"] == 0
    live = Live(home / "run" / "shifted.safetensors", steps=1, allow_folds=True)
    scan = Scan(np.arange(620.0).reshape(20, 31, 1), Grid.from_spacing((20, 31, 1), (2, 1, 1)))
    start = shift(model, 11, level=40)
    moved = live.make(scan, 40, 11)
    # a network that was barely trained answers next to nothing, so the shift is left
    np.testing.assert_allclose(moved.u[0, :, 8, 8], start, atol=0.1 * float(start.norm()))


def test_an_unknown_name_is_one_clear_error(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "run" / "shifted.safetensors"
    monkeypatch.delitem(kinds.RANDOM_FIELDS, "plane-shift")
    for call, path in ((read_spec, file), (read_config, home / "config.toml")):
        with pytest.raises(InputError) as caught:
            call(path)
        assert str(caught.value) == (
            f"there is no random field called plane-shift, {path}: schedule.name, "
            "expected one of: diffeomorphic, release"
        )


def test_a_name_is_given_once() -> None:
    with pytest.raises(ArgumentError, match="'name' must be new, got 'release'"):
        register_random_field("release", PlaneShift)
    assert random_field(Schedule(name="plane-shift")) == PlaneShift(Schedule(name="plane-shift"))
