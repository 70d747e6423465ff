"""A kind of network from outside the package, with a condition of two numbers, end to end.

It moves the whole plane along its condition, so what a recovery adds has a closed form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

import src_core as drdm
from src_core.datasets.reading import read_images
from src_core.diffusion.grids import crop
from src_core.diffusion.kinds import random_field
from src_core.errors import ArgumentError, InputError
from src_core.generation import generate_series, make_options
from src_core.generation.pairs import make_pair
from src_core.generation.recipe import differences
from src_core.models import prediction
from src_core.models.checkpoint import read_spec
from src_core.models.model import Model, ModelSpec
from src_core.models.network_kind import ConditionNumber, Design, NetworkConfig, NetworkKind
from src_core.models.prediction import network_kind, register_network_kind
from src_core.recipes.replay import prepare
from src_core.recipes.snippets import call_of, command_text, python_text
from src_core.training import TrainConfig, read_config, train
from src_core.training.batches import draw_sample, make_batch
from src_core.training.data import ModelGrid, load_store
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan
from tests.support import tiny
from tests.support.paths import ROOT


# --8<-- [start:network]
class DriftConfig(NetworkConfig):
    kind: Literal["drift"] = "drift"
    side: int = Field(default=8, ge=1)


class Drift(nn.Module):
    """Answers a learned gain times the condition, everywhere."""

    def __init__(self, config: DriftConfig) -> None:
        super().__init__()
        self.side, self.gain = config.side, nn.Parameter(torch.full((config.ndim,), 0.25))

    def forward(self, images: Tensor, levels: Tensor, condition: Tensor) -> Tensor:
        field = self.gain * condition
        return field[:, :, None, None].expand(-1, -1, self.side, self.side)


class DriftKind(NetworkKind):
    config = DriftConfig

    def build(self, config: DriftConfig) -> Drift:
        return Drift(config)

    def check(self, design: Design) -> None:
        if design.network.side * 2 != design.schedule.control:
            raise ValueError(f"side {design.network.side} is not half the control grid")

    def condition(self, config: DriftConfig) -> tuple[ConditionNumber, ...]:
        return ConditionNumber("keep", 0, 1, 0.5), ConditionNumber("push", -2, 2, 0)

    def target(
        self, design: Design, clean: Tensor, levels: Tensor, condition: Tensor | None = None
    ) -> Tensor:
        restored = super().target(design, clean, levels)
        return restored if condition is None else restored * (1 - condition[:, 0, None, None, None])


# --8<-- [end:network]

CONFIG = """
name = "drifting"
size = 64
[schedule]
control = 16
components = [16, 8, 4]
[network]
kind = "drift"
[optimisation]
samples = 16
batch = 4
[recovery]
steps = 3
[validation]
cases = 1
levels = [48]
"""
FIRST, SECOND = (0.25, 1.5), (1.0, -2.0)


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "NETWORK_KINDS", dict(prediction.NETWORK_KINDS))
        register_network_kind(DriftKind())
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one volume, and the model trained on it."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "data").mkdir()
    values = np.random.default_rng(0).integers(0, 200, (44, 60, 2)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, tiny.OBLIQUE), folder / "data" / "a.nii.gz")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    *_, last = train(folder / "data", read_config(folder / "config.toml"), folder / "run")
    assert last.samples == 16 and np.isfinite(last.loss)
    return folder


@pytest.fixture(scope="module")
def model(home: Path) -> Model:
    return drdm.load_model(home / "run" / "drifting.safetensors", device="cpu")


@pytest.fixture(scope="module")
def case(home: Path) -> drdm.Case:
    return drdm.read_case(home / "data" / "a.nii.gz")


def velocity(model: Model, condition: tuple[float, ...]) -> Tensor:
    """The closed form of ``predict``: (2,), state voxels per tau."""
    gain = model.network.state_dict()["gain"]
    return -gain * torch.tensor(condition) * model.spec.random_field.unit * 2


def test_training_draws_conditions_and_targets_depend_on_them(home: Path) -> None:
    config = read_config(home / "config.toml")
    grid = ModelGrid(config.size, 2, config.preprocessing)
    store = load_store(read_images(home / "data"), grid, home / "unused")
    stage = config.curriculum[0]
    draws = [draw_sample(config, stage, store.shares, i, 2) for i in range(200)]
    drawn = np.array([d.condition for d in draws])
    for column, (low, high) in zip(drawn.T, ((0, 1), (-2, 2)), strict=True):
        assert low <= column.min() < low + 0.1 * (high - low)
        assert high >= column.max() > high - 0.1 * (high - low)
    batch = make_batch(config, store, draws[:3])
    assert batch.condition is not None
    np.testing.assert_allclose(batch.condition, drawn[:3], rtol=1e-6)
    field = random_field(config.schedule)
    clean = torch.cat([field.velocity(d.velocity) * d.amplitude for d in draws[:3]])
    restored = crop(clean) / field.unit
    kept = torch.tensor(1 - drawn[:3, 0], dtype=torch.float32).view(3, 1, 1, 1)
    torch.testing.assert_close(batch.targets, restored * kept)


def test_other_kinds_draw_what_they_drew_before(home: Path) -> None:
    config = read_config(home / "config.toml")
    plain = config.model_copy(
        update={"network": TrainConfig(name="x").network.model_copy(update={"stem": 4})}
    )
    one, other = (draw_sample(c, c.curriculum[0], np.ones(1), 4, 2) for c in (config, plain))
    assert one.condition and not other.condition
    assert all(map(torch.equal, one.velocity, other.velocity)) and one.corner == other.corner
    assert (one.pose == other.pose).all() and one.contrast == other.contrast


def test_a_model_file_holds_the_kind(home: Path, model: Model) -> None:
    spec = read_spec(home / "run" / "drifting.safetensors")
    assert isinstance(spec.network, DriftConfig) and spec == model.spec
    assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec
    assert [n.name for n in spec.condition] == ["keep", "push"]
    gain = model.network.state_dict()["gain"]
    assert bool((gain != 0.25).all()), "it was not trained"


@pytest.mark.parametrize("condition", [FIRST, SECOND, None])
def test_the_condition_reaches_every_step(
    model: Model, case: drdm.Case, condition: tuple[float, ...] | None
) -> None:
    steps = list(drdm.recover(case, model, level=60, seed=3, condition=condition))
    tau, levels = model.spec.schedule.tau, model.spec.schedule.step_levels(60, 3)
    wanted = velocity(model, condition or (0.5, 0.0)).view(1, 2, 1, 1).expand(1, 2, 16, 16)
    corrections = steps[-1].recovery.flow.corrections
    assert len(steps) == 4 and len(corrections) == 3
    for found, here, there in zip(corrections, levels, levels[1:], strict=False):
        torch.testing.assert_close(found, wanted * (tau(here) - tau(there)))


def test_conditions_make_different_fields_and_stand_in_the_recipe(
    model: Model, case: drdm.Case, tmp_path: Path
) -> None:
    first, second = (
        drdm.generate(case, model, level=60, seed=3, condition=c) for c in (FIRST, SECOND)
    )
    assert abs(first.displacement - second.displacement).max() > 0.5
    for result, condition in ((first, FIRST), (second, SECOND)):
        assert tuple(result.recipe["options"]["condition"]) == condition
        folder = tmp_path / str(condition[0])
        drdm.save_result(result, folder)
        plan = prepare(folder / "recipe.json")
        assert plan.options.condition == condition
        again = drdm.generate(plan.case, plan.model, **plan.options.model_dump())
        assert differences(plan.recipe, again.recipe) == []
    default = drdm.generate(case, model, level=60, seed=3)
    assert tuple(default.recipe["options"]["condition"]) == (0.5, 0.0)
    assert f"condition={FIRST}" in python_text(call_of(first)).replace("[", "(").replace("]", ")")
    assert " --condition 0.25,1.5 " in command_text(call_of(first), windows=False)


def test_pairs_series_and_transforms_pass_it_on(model: Model, case: drdm.Case, home: Path) -> None:
    levels = model.spec.schedule.levels
    one, two = (make_options(levels, level=40, seed=s, condition=FIRST) for s in (1, 2))
    pair = make_pair(case, model, one, two)
    moving = drdm.generate(case, model, level=40, seed=1, condition=FIRST)
    fixed = drdm.generate(moving.case, model, level=40, seed=2, condition=FIRST)
    assert (pair.displacement == fixed.displacement).all()
    assert pair.recipe["fixed"]["condition"] == pair.recipe["options"]["condition"]
    other = make_options(levels, level=40, seed=2, condition=SECOND)
    with pytest.raises(InputError, match="differ in condition"):
        make_pair(case, model, one, other)
    series = generate_series(case, model, "ramp", 2, level=40, seed=1, condition=FIRST)
    np.testing.assert_allclose(series.displacements[..., 1, :], moving.displacement, atol=1e-4)
    live = Live(home / "run" / "drifting.safetensors", steps=None, condition=FIRST)
    scan = Scan(case.image, case.grid, "a")
    np.testing.assert_allclose(live.make(scan, 40, 1).field(), moving.displacement, atol=1e-4)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ((1.0,), "condition 1 is not possible"),
        ((), "condition of no numbers is not possible"),
        ((0.5, 3.0), "condition 0.5, 3 is not possible"),
        ((float("nan"), 0.0), "condition nan, 0 is not possible"),
    ],
)
def test_a_condition_that_does_not_fit_is_one_clear_error(
    model: Model, case: drdm.Case, condition: tuple[float, ...], words: str
) -> None:
    for call in (drdm.recover, drdm.generate):
        with pytest.raises(InputError) as caught:
            call(case, model, level=20, condition=condition)
        assert caught.value.option == "condition"
        assert words in str(caught.value)
        assert "2 numbers: keep (0 to 1), push (-2 to 2)" in str(caught.value)


def test_a_model_without_conditions_refuses_one() -> None:
    for level in (0, 20):
        with pytest.raises(InputError, match="takes no condition") as caught:
            drdm.recover(tiny.case(), tiny.model(), level=level, condition=(1.0,))
        assert caught.value.option == "condition"
    result = drdm.generate(tiny.case(), tiny.model(), level=5)
    assert "condition" not in result.recipe["options"]
    with pytest.raises(InputError, match="condition"):
        make_options(80, condition=("a",))


def test_an_unknown_kind_is_one_clear_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "run" / "drifting.safetensors"
    monkeypatch.delitem(prediction.NETWORK_KINDS, "drift")
    for call, path in ((read_spec, file), (read_config, home / "config.toml")):
        with pytest.raises(InputError) as caught:
            call(path)
        assert str(caught.value) == (
            f"there is no network of kind drift, {path}: network.kind, "
            "expected one of: acnn, velocity-unet"
        )


def test_a_kind_owns_its_settings_and_its_grid(tmp_path: Path) -> None:
    for wrong, words in (("side = 4", "side 4 is not half"), ("sides = 8", "network.sides")):
        (tmp_path / "config.toml").write_text(
            CONFIG.replace('kind = "drift"', f'kind = "drift"\n{wrong}'), encoding="utf-8"
        )
        with pytest.raises(InputError, match=words):
            read_config(tmp_path / "config.toml")
    with pytest.raises(ArgumentError, match="must have a new name, got 'drift'"):
        register_network_kind(DriftKind())
    assert isinstance(network_kind(DriftConfig()), DriftKind)


def test_nobody_else_asks_for_a_kind() -> None:
    """Outside ``models/nn`` and the table, no code looks at which network it has."""
    asks = re.compile(
        r"""kind\s*[!=]=\s*["'](acnn|velocity-unet)|isinstance\([^)]*(Unet|UNet|Acnn|network)""",
        re.IGNORECASE,
    )
    rooms, models = (ROOT / "src_core", ROOT / "napari_drdm"), ROOT / "src_core" / "models"
    files = [path for room in rooms for path in room.rglob("*.py")]
    own = {models / "prediction.py", *(models / "nn").glob("*.py")}
    found = [path for path in files if path not in own and asks.search(path.read_text("utf-8"))]
    assert len(files) > 200 and not found
