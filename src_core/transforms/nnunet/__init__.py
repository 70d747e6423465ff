"""nnU-Net v2: ``nnUNetTrainerDRDM`` draws from a bank beside nnU-Net's own augmentation.

nnU-Net finds it by ``nnUNet_extTrainer``: ``python -m src_core.transforms.nnunet`` prints what to
set it to. Neither this package nor its geometry needs nnU-Net; the loader and the trainer do.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["TRAINERS"]

#: The folder that nnU-Net is to look into, by its environment variable ``nnUNet_extTrainer``.
TRAINERS = Path(__file__).resolve().parent / "trainers"
