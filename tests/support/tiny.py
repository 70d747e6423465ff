"""Small models with random weights, as values and as files, and a small case on an oblique grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from src_core.cases.case import Case
from src_core.diffusion.schedule import Schedule
from src_core.models import library
from src_core.models.checkpoint import save_model
from src_core.models.model import Model, ModelSpec
from src_core.models.nn.velocity import VelocityUNetConfig
from src_core.models.prediction import build

__all__ = ["BOX", "OBLIQUE", "SPEC", "case", "model", "only_models_of", "save", "save_unet", "unet"]

SPEC = {
    "name": "tiny", "size": 64,
    "schedule": {"control": 32, "components": (32, 16, 8)},
    "network": {"kind": "velocity-unet", "stem": 4, "widths": (8, 8), "output_stage": 0,
                "middle": 1, "heads": 1, "embedding": 8, "groups": 2},
    "recovery": {"steps": 3},
}  # fmt: skip
CUBE = {"size": 32, "schedule": {"control": 16, "components": (16, 8)}}
BOX = ((10, 40), (6, 46), (0, 3))
OBLIQUE = np.array([[1.2, 0.3, 0, 5], [-0.4, 0.9, 0, -7], [0, 0, 8, 3], [0, 0, 0, 1.0]])


def model(ndim: int = 2, **changes: Any) -> Model:
    """A quick model whose weights answer something."""
    spec, network = _made(ndim, changes)
    return Model(spec, network.eval(), torch.device("cpu"), "")


def save(folder: Path, ndim: int = 2, **changes: Any) -> Path:
    """The file ``NAME.safetensors`` of such a model.

    Args:
        folder: where it goes; made where it is missing.
        ndim: of its images, 2 or 3.
        changes: fields of its spec.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec, network = _made(ndim, changes)
    return save_model(folder / f"{spec.name}.safetensors", spec, network)


def only_models_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library find the models of one folder and none that ships."""
    monkeypatch.setattr(library, "user_folder", lambda: folder)
    monkeypatch.setattr(library, "_shipped_folder", lambda: folder / "none")


def _made(ndim: int, changes: dict[str, Any]) -> tuple[ModelSpec, nn.Module]:
    shape = {} if ndim == 2 else CUBE
    network = {**SPEC["network"], "ndim": ndim}  # type: ignore[dict-item]
    spec = ModelSpec.model_validate({**SPEC, "network": network, **shape, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = build(spec.network)
        _stir(made)
    return spec, made


def _stir(network: nn.Module) -> None:
    """A network fresh from ``build`` answers next to nothing."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.15 * torch.randn_like(weights))


def unet(
    ndim: int = 2, side: int = 32, widths: tuple[int, ...] = (8, 12), still: bool = False
) -> Model:
    """A U-Net with a stage for its output, which moves things about, or nothing if ``still``."""
    schedule = Schedule(control=side, components=(side, side // 2, side // 4))
    network = VelocityUNetConfig(ndim=ndim, widths=widths, embedding=8, output_stage=1)
    spec = ModelSpec(name="tiny", size=4 * side, schedule=schedule, network=network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build(network)
        nn.init.normal_(net.head.weight, std=0.0 if still else 0.03)
        if still:
            nn.init.zeros_(net.head.bias)
    return Model(spec, net.eval().requires_grad_(False), torch.device("cpu"), "0" * 64)


def save_unet(path: Path, **options: Any) -> Path:
    """The file of a ``unet``."""
    made = unet(**options)
    return save_model(path, made.spec, made.network)


def case(shape: tuple[int, ...] = (52, 60, 3)) -> Case:
    """Noise with a box of labels, on an oblique grid."""
    values = np.random.default_rng(0).integers(0, 200, shape).astype(np.int16)
    labels = np.zeros(shape, np.uint8)
    labels[15:30, 12:30] = 1
    return Case.from_arrays(values, labels, affine=OBLIQUE)
