"""Training a DRDM (Algorithm 1): config, data, batches, loop, and the run's folder."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.training.config import TrainConfig, read_config
    from src_core.training.hardware import Hardware
    from src_core.training.loop import TrainingProgress
    from src_core.training.run import train

__all__ = ["Hardware", "TrainConfig", "TrainingProgress", "read_config", "train"]

#: Modules of the names, which are imported when they are used.
_MODULES = {
    "config": ("TrainConfig", "read_config"),
    "hardware": ("Hardware",),
    "loop": ("TrainingProgress",),
    "run": ("train",),
}


def __getattr__(name: str) -> Any:
    for home, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
