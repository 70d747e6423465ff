"""The network's compiled loops: the same function as PyTorch's, whatever else is computed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from src_core.models.nn.cpu import cpu_network
from src_core.models.nn.velocity import VelocityUNet, VelocityUNetConfig

SHAPES = {
    "2D": (64, VelocityUNetConfig(stem=2, widths=(16, 32, 48), organs=3)),
    "2D, deep": (128, VelocityUNetConfig(stem=1, widths=(16, 16, 32, 64, 96), groups=8)),
    "2D, no attention": (32, VelocityUNetConfig(widths=(32, 48), heads=0, middle=3, organs=1)),
    "2D, narrow heads": (64, VelocityUNetConfig(widths=(64, 80, 112), heads=7, middle=1)),
    "3D": (32, VelocityUNetConfig(ndim=3, stem=2, widths=(16, 32), output_stage=0, organs=2)),
    "3D, deep": (64, VelocityUNetConfig(ndim=3, stem=4, widths=(16, 48, 48), groups=2)),
}
every_shape = pytest.mark.parametrize(("side", "config"), SHAPES.values(), ids=SHAPES)


def network(config: VelocityUNetConfig) -> VelocityUNet:
    """Seeded; no parameter is left at zero or one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        net = VelocityUNet(config).eval().requires_grad_(False)
        for parameter in net.parameters():
            if parameter.dim() == 1 or not parameter.any():
                nn.init.normal_(parameter, 0.1, std=0.2)
    return net


def image(config: VelocityUNetConfig, side: int, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.rand(1, 1, *[side] * config.ndim, generator=source)


def prepared(config: VelocityUNetConfig, side: int) -> Any:
    found = cpu_network(network(config), side)
    assert found is not None
    return found


@every_shape
@pytest.mark.parametrize("level", [1, 48])
@torch.no_grad()
def test_it_is_the_function_that_pytorch_computes(
    side: int, config: VelocityUNetConfig, level: int
) -> None:
    net, values = network(config), image(config, side)
    exact = deepcopy(net).double()
    wanted, organs = exact.forward_with_organs(values.double(), torch.tensor([level]))
    found, logits = prepared(config, side)(values, level, True)
    scale = float(wanted.std())
    assert scale > 1e-3 and found.shape == wanted.shape and found.dtype == torch.float32
    assert float((found - wanted).abs().max()) < 2e-5 * scale
    assert (organs is None) == (logits is None)
    if organs is not None and logits is not None:
        assert logits.shape == organs.shape
        assert float((logits - organs).abs().max()) < 2e-5 * float(organs.std())


@every_shape
def test_an_image_s_bits_depend_on_no_other_image_and_on_no_thread(
    side: int, config: VelocityUNetConfig
) -> None:
    call, images = prepared(config, side), [image(config, side, seed) for seed in range(7)]
    alone = [prepared(config, side)(one, 7, False)[0] for one in images]
    assert not torch.equal(alone[0], alone[1])
    assert torch.equal(call(torch.cat(images), 7, False)[0], torch.cat(alone))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: call(one, 7, False)[0], images * 3))
    assert all(map(torch.equal, together, alone * 3))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert torch.equal(call(images[2], 7, True)[0], alone[2])
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def test_levels_follow_each_other_in_any_order() -> None:
    side, config = SHAPES["2D"]
    call, values = prepared(config, side), image(config, side)
    first = call(values, 40, False)[0]
    other = call(values, 3, False)[0]
    assert not torch.equal(first, other)
    assert torch.equal(call(values, 40, False)[0], first)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@torch.no_grad()
def test_an_image_without_contrast_divides_by_no_zero(value: float) -> None:
    side, config = SHAPES["2D"]
    values = torch.full((1, 1, side, side), value)
    wanted = network(config)(values, torch.tensor([9]))
    found = prepared(config, side)(values, 9, False)[0]
    assert torch.allclose(found, wanted, atol=2e-5 * float(wanted.abs().max()))


@torch.no_grad()
def test_activations_far_from_zero_stay_finite() -> None:
    side, config = SHAPES["2D, no attention"]
    net = network(config)
    for block in net.encoder:
        assert isinstance(block.norm_in, nn.GroupNorm)
        block.norm_in.weight.mul_(1e4)
    found = cpu_network(net, side)
    assert found is not None
    wanted = net(image(config, side), torch.tensor([9]))
    values = found(image(config, side), 9, False)[0]
    assert torch.allclose(values, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize(
    ("side", "config"),
    [
        (64, VelocityUNetConfig(widths=(16, 24))),
        (32, VelocityUNetConfig(widths=(16, 32, 48))),
        (64, VelocityUNetConfig(widths=(8, 16))),
    ],
)
def test_other_shapes_are_left_to_pytorch(side: int, config: VelocityUNetConfig) -> None:
    assert cpu_network(network(config), side) is None
