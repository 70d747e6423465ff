"""Stacks of slices and their training slices, for tests of segmentation."""

from __future__ import annotations

import numpy as np
import torch

from src_core.cases.grid import Grid
from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.slice_stacks import SliceStack
from src_core.tasks.segmentation.training_slices import TrainingSlices
from src_core.transforms import Deformation

__all__ = ["SPACING", "Shelf", "pool", "stack"]


SPACING = (8.0, 1.5, 1.5)


def stack(name: str = "a", side: int = 32, slices: int = 2) -> SliceStack:
    x, y = np.indices((side, side)) - np.array([14, 17]).reshape(2, 1, 1)
    classes = np.where(x**2 + y**2 < 25, 2, np.where(x**2 + (1.3 * y) ** 2 < 90, 1, 0))
    image = np.array([0.1, 0.5, 0.9])[classes] + 0.05 * np.cos(x)
    images = torch.from_numpy(np.stack([image] * slices)[:, None]).float()
    return SliceStack(name, name, images, torch.from_numpy(np.stack([classes] * slices)), SPACING)


class Shelf:
    """Stands in for a bank: variant n of a case moves by n state voxels along the first axis."""

    def get(self, name: str, index: int) -> Deformation:
        u = np.zeros((1, 2, 16, 16), np.float32)
        u[:, 0] = index + 1
        return Deformation(u, Grid((20, 24, 3), np.eye(4)), 2, 64, 48, index)


def pool(method: str, **more) -> TrainingSlices:
    return TrainingSlices(
        METHODS[method], [stack(), stack("b", slices=3)], 2, Shelf(), **{"seed": 1, **more}
    )
