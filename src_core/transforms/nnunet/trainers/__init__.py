"""What nnU-Net finds by ``nnUNet_extTrainer``; it reads this folder's modules by itself."""

from __future__ import annotations

__all__: list[str] = []
