"""Training losses (paper eq. 14): distance + angle + regularisation, each weighted.

``error`` is what is left of the deformation after the prediction, zero for a perfect one.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["angle", "differences", "folding", "gradient", "smoothness", "tempered"]


def differences(field: Tensor) -> list[Tensor]:
    """Forward differences of (B, D, *spatial) along each spatial axis."""
    return [field.diff(dim=axis) for axis in range(2, field.dim())]


def gradient(error: Tensor) -> Tensor:
    """Mean squared forward difference, per item: weighs fine scales like coarse ones."""
    parts = [d.square().flatten(1).mean(1) for d in differences(error)]
    return torch.stack(parts).mean(0)


def angle(prediction: Tensor, target: Tensor, floor: float) -> Tensor:
    """1 - cosine between vectors, per item; ``floor`` (> 0) fades out vectors shorter than it."""
    dot = (prediction * target).sum(1)
    lengths = [(f.square().sum(1) + floor**2).sqrt() for f in (prediction, target)]
    return (1 - dot / (lengths[0] * lengths[1])).flatten(1).mean(1)


def tempered(error: Tensor, tail: float) -> Tensor:
    """A relative squared error that grows as its square root above ``tail``, smoothly joined."""
    return torch.where(error < tail, error, 2 * (tail * error.clamp_min(tail)).sqrt() - tail)


def smoothness(field: Tensor, threshold: float = 1e-4) -> Tensor:
    """L1 of the gradient above a threshold, per item."""
    parts = [(d.abs() - threshold).clamp_min(0).flatten(1).mean(1) for d in differences(field)]
    return torch.stack(parts).mean(0)


def folding(u: Tensor, margin: float = 0.0) -> Tensor:
    """How far determinants of x + u lie below ``margin``, mean per item: 0 where nothing folds.

    Args:
        u: (B, D, *spatial), voxels.
    """
    from src_core.fields import jacobian_determinant

    return (margin - jacobian_determinant(u)).clamp_min(0).flatten(1).mean(1)
