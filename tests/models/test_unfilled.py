"""Networks whose weights come from a file: as built ones, without random numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from src_core.errors import InputError
from src_core.models.checkpoint import save_model
from src_core.models.library import load_model
from src_core.models.nn.velocity import VelocityUNetConfig
from src_core.models.prediction import build, unfilled
from tests.support.small_model import network, spec


@pytest.mark.parametrize("ndim", [2, 3])
def test_an_unfilled_network_has_the_weights_of_a_built_one(ndim: int) -> None:
    config = VelocityUNetConfig.model_validate({"ndim": ndim, "organs": 2, "widths": (8, 12, 16)})
    state = torch.random.get_rng_state()
    own = unfilled(config).state_dict()
    assert torch.equal(torch.random.get_rng_state(), state)
    made = build(config).state_dict()
    assert list(own) == list(made)
    for key, values in made.items():
        assert own[key].shape == values.shape
        assert own[key].stride() == values.stride()


def test_half_floats_are_floats_in_memory(tmp_path: Path) -> None:
    path = save_model(tmp_path / "half.safetensors", spec(), network(), torch.float16)
    loaded = load_model(path, "cpu").network.state_dict()
    for key, values in network().state_dict().items():
        assert loaded[key].dtype == torch.float32
        assert torch.equal(loaded[key], values.half().float())


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    other = build(VelocityUNetConfig.model_validate({**spec().network.model_dump(), "middle": 1}))
    path = save_model(tmp_path / "other.safetensors", spec(), other)
    with pytest.raises(InputError, match="do not fit"):
        load_model(path, "cpu")
