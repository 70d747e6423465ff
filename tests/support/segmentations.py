"""Stacks of slices and a store of them, for tests of segmentation."""

from __future__ import annotations

import numpy as np
import torch

from src_core.tasks.segmentation.batches import SliceStore
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.slice_stacks import SliceStack

__all__ = ["CPU", "CROP", "SPACING", "stack", "store"]

CPU = torch.device("cpu")
CROP = CropGrid(32, 1.5)
SPACING = (8.0, 1.5, 1.5)


def stack(name: str = "a", slices: int = 2, crop: CropGrid = CROP) -> SliceStack:
    """Two rings off the centre of the canvas, over waves."""
    x, y = np.indices((crop.canvas, crop.canvas)) - crop.canvas // 2 + 2.0
    classes = np.where(x**2 + y**2 < 25, 2, np.where(x**2 + (1.3 * y) ** 2 < 90, 1, 0))
    image = np.array([0.1, 0.5, 0.9])[classes] + 0.05 * np.cos(x / 3) + 0.03 * np.sin(y / 4)
    images = torch.from_numpy(np.stack([image] * slices)).half()
    stacked = torch.from_numpy(np.stack([classes] * slices)).byte()
    return SliceStack(name, name, images, stacked, SPACING)


def store(crop: CropGrid = CROP) -> SliceStore:
    """Two cases, with smooth fields of several mm of every kind."""
    made = SliceStore([stack("a", 2, crop), stack("b", 3, crop)], crop, 2, CPU)
    side = crop.field_side
    at = torch.arange(side) / side
    wave = 4 * torch.stack([torch.sin(5 * at)[:, None] * at, torch.cos(4 * at) * at[:, None]])
    fields = torch.stack([(n + 1) / 3 * wave for n in range(3)])
    for kind in ("drdm", "random", "elastic", "keep", "registered"):
        made.add_fields(kind, {"a": fields, "b": -fields})
    return made
