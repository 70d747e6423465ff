"""Helpers for tests of deformations in a training loop."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch

from src_core.cases.case import Case
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.transforms import (
    Scan,
)

__all__ = ["case_of", "itk", "numbers"]


def numbers(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def case_of(one: Scan) -> Case:
    labels = (one.image > 50).astype(np.uint8) + 2 * (one.image > 90).astype(np.uint8)
    return Case.from_arrays(one.image, labels, affine=one.grid.affine)


def itk(array: np.ndarray, grid: Grid, vector: bool = False) -> sitk.Image:
    image = sitk.GetImageFromArray(np.moveaxis(array, (0, 1, 2), (2, 1, 0)), isVector=vector)
    image.SetSpacing(grid.spacing)
    image.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    return image
