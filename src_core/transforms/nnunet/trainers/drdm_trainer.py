"""Where nnU-Net finds the trainer: it loads this file alone, and forgets it after its search."""

from __future__ import annotations

from src_core.transforms.nnunet.trainer import nnUNetTrainerDRDM

__all__ = ["nnUNetTrainerDRDM"]
