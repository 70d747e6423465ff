"""A small model with a card, its network, and a case of two slices."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from src_core.diffusion.schedule import Schedule
from src_core.models.model import Card, ModelSpec
from src_core.models.nn.velocity import VelocityUNetConfig
from src_core.models.prediction import build

__all__ = ["arrays", "network", "spec"]


def spec(name: str = "small") -> ModelSpec:
    return ModelSpec(
        name=name,
        size=64,
        mm_per_pixel=(1.0, 2.5),
        schedule=Schedule(control=16, components=(16, 8, 4), sigma=1e-4),
        network=VelocityUNetConfig(widths=(8, 12), embedding=8),
        card=Card(title="Café", figures={"dice": 0.5}),
    )


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build(spec().network)
        nn.init.normal_(net.head.weight, std=0.02)
    return net


def arrays() -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 900, (36, 28, 2)).astype(np.int16)
    return image, (image > 500).astype(np.uint8) * 4
