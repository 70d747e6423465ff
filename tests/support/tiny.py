"""A small case and models with random weights, for tests of what is built on them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from src_core.cases.case import Case
from src_core.models.model import Model, ModelSpec
from src_core.models.prediction import build

__all__ = ["BOX", "case", "lively", "model"]

SPEC = {
    "name": "tiny", "size": 64,
    "schedule": {"control": 32, "components": (32, 16, 8)},
    "network": {"kind": "velocity-unet", "stem": 4, "widths": (8, 8), "output_stage": 0,
                "middle": 1, "heads": 1, "embedding": 8, "groups": 2},
    "recovery": {"steps": 3},
}  # fmt: skip
BOX = ((10, 40), (6, 46), (0, 3))
OBLIQUE = np.array([[1.2, 0.3, 0, 5], [-0.4, 0.9, 0, -7], [0, 0, 8, 3], [0, 0, 0, 1.0]])


def model(ndim: int = 2) -> Model:
    values = {**SPEC, "network": {**SPEC["network"], "ndim": ndim}}
    if ndim == 3:
        values |= {"size": 32, "schedule": {"control": 16, "components": (16, 8)}}
    spec = ModelSpec.model_validate(values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Model(spec, lively(build(spec.network)).eval(), torch.device("cpu"), "")


def lively(network: nn.Module) -> nn.Module:
    """Weights that answer something: a network fresh from ``build`` answers next to nothing."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.15 * torch.randn_like(weights))
    return network


def case(shape: tuple[int, ...] = (52, 60, 3)) -> Case:
    values = np.random.default_rng(0).integers(0, 200, shape).astype(np.int16)
    labels = np.zeros(shape, np.uint8)
    labels[15:30, 12:30] = 1
    return Case.from_arrays(values, labels, affine=OBLIQUE)
