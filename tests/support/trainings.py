"""A small training: its config, and the state that it leaves."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from src_core.diffusion.schedule import Schedule
from src_core.models.preprocessing import Preprocessing
from src_core.training import TrainConfig
from src_core.training.config import Augmentation, Optimisation
from src_core.training.data import ModelGrid

__all__ = ["BATCH", "GRID", "SCHEDULE", "STEPS", "STILL", "config", "facts", "states"]


SCHEDULE = Schedule(control=16, components=(16, 8, 4), sigma=6e-4)


GRID = ModelGrid(64, 2, Preprocessing())


STEPS, BATCH = 8, 2


STILL = Augmentation(
    free_rotation=0,
    rotation=0,
    translation=0,
    flip=0,
    crop=(1, 1),
    aspect=0,
    gain=0,
    offset=0,
    threshold=0,
)


def config(**changes: object) -> TrainConfig:
    values = {
        "name": "tiny",
        "seed": 5,
        "size": 64,
        "schedule": SCHEDULE,
        "validation": {"cases": 1, "levels": (48,)},
        "network": {
            "kind": "velocity-unet",
            "stem": 8,
            "widths": (16, 24),
            "output_stage": 0,
            "middle": 1,
        },
        "optimisation": Optimisation(
            samples=STEPS * BATCH, batch=BATCH, warmup=4, log_every=2, checkpoint_minutes=1e-9
        ),
    }
    return TrainConfig.model_validate({**values, **changes})


def states(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "state.safetensors")


def facts(run: Path) -> dict[str, str]:
    with safe_open(run / "state.safetensors", framework="pt") as file:
        return dict(file.metadata())
