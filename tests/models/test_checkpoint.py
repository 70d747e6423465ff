"""Models as files: the same when they come back; broken ones and pickles are refused."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import torch

from src_core.errors import InputError
from src_core.models.checkpoint import read_spec, save_model
from src_core.models.library import (
    import_model,
    load_model,
)
from src_core.models.model import ModelSpec
from src_core.models.nn.velocity import VelocityUNetConfig
from tests.support.small_model import network, spec


def test_a_model_comes_back_as_it_was_saved(file: Path) -> None:
    model = load_model(file, "cpu")
    assert model.spec == spec() == read_spec(file)
    expected = network().state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in model.network.state_dict().items())
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())
    assert model.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@torch.no_grad()
def test_a_prediction_takes_the_velocity_away(file: Path) -> None:
    """Minus the network's answer, in units of v's deviation, in state voxels, mean over views."""
    model = load_model(file, "cpu")
    model.network.head.weight.zero_()
    model.network.head.bias.copy_(torch.tensor([0.5, -1.0]))
    velocity = model.predict(torch.rand(3, 1, 64, 64), 20)
    assert velocity.shape == (1, 2, 16, 16)
    unit = 1e-4 * 16 * (1 + 4 + 16) ** 0.5 * 2
    expected = torch.tensor([-0.5 * unit, unit]).view(1, 2, 1, 1).expand_as(velocity)
    torch.testing.assert_close(velocity, expected)


def test_loading_a_model_leaves_the_global_generator_alone(file: Path) -> None:
    state = torch.random.get_rng_state()
    load_model(file, "cpu")
    assert torch.equal(torch.random.get_rng_state(), state)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_is_refused_and_never_run(
    tmp_path: Path, user: Path, ending: str, writer: str
) -> None:
    path, mark = tmp_path / f"model{ending}", tmp_path / "ran"
    if writer == "pickle":
        path.write_bytes(pickle.dumps({"weights": Trap(mark)}))
    else:
        torch.save({"weights": Trap(mark)}, path)
    for use in (load_model, import_model):
        with pytest.raises(InputError) as caught:
            use(path)
        assert "\n" not in str(caught.value) and path.name in str(caught.value)
    assert not mark.exists(), "the pickle was run"
    assert not user.exists() or not any(user.iterdir())


def broken(path: Path, kind: str) -> Path:
    whole = save_model(path, spec(), network()).read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    if kind == "empty":
        path.write_bytes(b"")
        return path
    if kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
        return path
    if kind == "no spec":
        del header["__metadata__"]
    elif kind == "another spec":
        header["__metadata__"]["drdm"] = '{"format": 2}'
    elif kind == "spec is no JSON":
        header["__metadata__"]["drdm"] = "{"
    else:
        wider = spec().model_copy(update={"network": VelocityUNetConfig(widths=(8, 16))})
        header["__metadata__"]["drdm"] = wider.model_dump_json()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
    return path


@pytest.mark.parametrize(
    "kind", ["empty", "cut", "no spec", "another spec", "spec is no JSON", "other weights"]
)
def test_a_broken_model_is_refused(tmp_path: Path, kind: str) -> None:
    path = broken(tmp_path / "broken.safetensors", kind)
    with pytest.raises(InputError, match="not a model") as caught:
        load_model(path, "cpu")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 72}, "size 72 and control 16 do not fit"),
        ({"size": 128}, "output has 16 points per side"),
        (
            {"network": VelocityUNetConfig(stem=8, widths=(8, 8))},
            "output has 4 points",
        ),
        ({"network": VelocityUNetConfig(widths=(8,) * 6, embedding=8)}, "cannot be halved"),
        ({"network": VelocityUNetConfig(widths=(8,), output_stage=1)}, "cannot be halved"),
    ],
    ids=["state", "network", "stem", "halvings", "stage"],
)
def test_grids_that_are_not_in_step_are_no_spec(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSpec.model_validate({**dict(spec()), **change})
