"""Separable filters as tables of matrices, so that each sample of a batch has its own strength.

A strength is one of 32 between two ends, or none: row 0 of a table is the identity. An image x
becomes ``m x m^T``: two products for a batch, whatever its strengths.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

__all__ = ["STRENGTHS", "blur_table", "filtered", "lower_resolution_table", "row_of"]

STRENGTHS = 32


def blur_table(side: int, low: float, high: float) -> Tensor:
    """Gaussians of these deviations in pixels, the border continued: (33, side, side)."""
    sigmas = low + (np.arange(STRENGTHS) + 0.5) / STRENGTHS * (high - low)
    eye = np.eye(side)
    rows = [eye, *(ndimage.gaussian_filter1d(eye, s, axis=0, mode="nearest") for s in sigmas)]
    return torch.from_numpy(np.stack(rows)).float()


def lower_resolution_table(side: int, low: float, high: float) -> Tensor:
    """Nearest sampling to a share of the pixels, then cubic enlargement: (33, side, side)."""
    rows = [torch.eye(side)]
    for number in range(STRENGTHS):
        few = max(round(side * (low + (number + 0.5) / STRENGTHS * (high - low))), 1)
        kept = ((torch.arange(few) + 0.5) * side / few).long()
        enlarging = functional.interpolate(
            torch.eye(few)[None, None], size=(side, few), mode="bicubic", align_corners=False
        )[0, 0]
        rows.append(enlarging @ torch.eye(side)[kept])
    return torch.stack(rows)


def row_of(wanted: Tensor, strength: Tensor) -> Tensor:
    """Rows of a table (B,) int64: 0 where it is not wanted, else that of a strength in 0..1."""
    row = 1 + (strength * STRENGTHS).long().clamp(max=STRENGTHS - 1)
    return torch.where(wanted, row, 0)


def filtered(images: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """Images (B, 1, n, n), each by its row of a table."""
    matrices = table.index_select(0, rows)
    return (matrices @ images[:, 0] @ matrices.transpose(1, 2))[:, None]
