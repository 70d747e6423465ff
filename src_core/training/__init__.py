"""Training a DRDM (Algorithm 1): config, data, batches, loop, and the run's folder."""

from __future__ import annotations

from src_core.training.config import TrainConfig, read_config
from src_core.training.hardware import Hardware
from src_core.training.loop import TrainingProgress
from src_core.training.run import train

__all__ = ["Hardware", "TrainConfig", "TrainingProgress", "read_config", "train"]
