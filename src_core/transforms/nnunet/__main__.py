"""Print the folder in which nnU-Net finds the trainer."""

from __future__ import annotations

from src_core.transforms.nnunet import TRAINERS

if __name__ == "__main__":
    print(TRAINERS)
