"""The small network: shapes, parameters, what it is at the start, and what it depends on."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from torch import nn

from src_core.models.nn.velocity import VelocityUNetConfig, space_to_depth
from src_core.models.prediction import build

CONFIGS = {
    "2D": VelocityUNetConfig(widths=(8, 12, 16), embedding=6),
    "2D, coarse stem": VelocityUNetConfig(stem=8, widths=(8, 16), output_stage=0, heads=2),
    "2D, no attention": VelocityUNetConfig(widths=(8, 12), heads=0, middle=3, groups=2),
    "3D": VelocityUNetConfig(ndim=3, widths=(8, 12), embedding=4),
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def network(config: VelocityUNetConfig, head: bool = True) -> nn.Module:
    """Seeded; every parameter that starts at zero is moved if ``head``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net = build(config).eval()
        for parameter in net.parameters() if head else ():
            if not parameter.any():
                nn.init.normal_(parameter, std=0.3)
    return net


def images(config: VelocityUNetConfig, batch: int = 2) -> torch.Tensor:
    sides = [32, 48, 32][: config.ndim]
    source = torch.Generator().manual_seed(config.stem)
    return torch.rand(batch, 1, *sides, generator=source)


@every_config
@torch.no_grad()
def test_output_is_a_velocity_on_its_stage_s_grid(config: VelocityUNetConfig) -> None:
    image = images(config)
    out = network(config)(image, torch.tensor([3, 70]))
    factor = config.stem * 2**config.output_stage
    assert out.shape == (2, config.ndim, *[n // factor for n in image.shape[2:]])
    assert float(out.std()) > 1e-3


@every_config
@torch.no_grad()
def test_a_fresh_network_says_zero(config: VelocityUNetConfig) -> None:
    assert not network(config, head=False)(images(config), torch.tensor([1, 80])).any()


def count(c: VelocityUNetConfig) -> int:
    """Parameters, from the shapes alone."""
    n, w, e = c.ndim, c.widths, c.embedding

    def conv(inputs: int, outputs: int, size: int) -> int:
        return inputs * outputs * size**n + outputs

    def block(inputs: int, outputs: int) -> int:
        norms = 2 * inputs + 2 * outputs
        skip = conv(inputs, outputs, 1) if inputs != outputs else 0
        convs = conv(inputs, outputs, 3) + conv(outputs, outputs, 3)
        return norms + convs + skip + e * 2 * outputs + 2 * outputs

    total = (2 * e + e) + (e * e + e) + conv(c.stem**n, w[0], 3)
    total += sum(conv(a, b, 4) for a, b in pairwise(w)) + sum(block(a, a) for a in w)
    total += c.middle * block(w[-1], w[-1])
    total += (2 * w[-1] + conv3(w[-1])) if c.heads else 0
    stages = range(c.output_stage, len(w) - 1)
    total += sum(block(w[i] + w[i + 1], w[i]) for i in stages)
    return total + 2 * w[c.output_stage] + conv(w[c.output_stage], n, 3)


def conv3(width: int) -> int:
    """Query, key, value and output of attention."""
    return 4 * (width * width + width)


@every_config
def test_number_of_parameters(config: VelocityUNetConfig) -> None:
    assert sum(p.numel() for p in network(config).parameters()) == count(config)


@every_config
@torch.no_grad()
def test_items_of_a_batch_know_nothing_of_each_other(config: VelocityUNetConfig) -> None:
    net, image = network(config), images(config)
    both = net(image, torch.tensor([10, 60]))
    for i, level in enumerate((10, 60)):
        alone = net(image[i : i + 1], torch.tensor([level]))
        torch.testing.assert_close(both[i : i + 1], alone, atol=1e-5, rtol=1e-4)


@every_config
@torch.no_grad()
def test_image_and_level_both_matter(config: VelocityUNetConfig) -> None:
    net, image = network(config), images(config, 1)
    out = net(image, torch.tensor([40]))
    assert (net(image, torch.tensor([41])) - out).abs().max() > 1e-4
    assert (net(image.flip(2), torch.tensor([40])) - out).abs().max() > 1e-3


@pytest.mark.parametrize(("shape", "block"), [((2, 3, 8, 12), 4), ((1, 2, 4, 8, 6), 2)])
def test_space_to_depth_by_loops(shape: tuple[int, ...], block: int) -> None:
    image = np.random.default_rng(0).normal(size=shape)
    ndim = len(shape) - 2
    parts = [
        image[(slice(None), channel, *(slice(o, None, block) for o in offset))]
        for channel in range(shape[1])
        for offset in product(range(block), repeat=ndim)
    ]
    found = space_to_depth(torch.from_numpy(image), block)
    np.testing.assert_array_equal(found.numpy(), np.stack(parts, axis=1))


def test_every_parameter_learns() -> None:
    config = CONFIGS["2D"]
    net = network(config)
    net(images(config), torch.tensor([20, 50])).square().mean().backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
