"""Training losses (paper eq. 14): distance + angle + regularisation, each weighted.

``error`` is what is left of the deformation after the prediction, zero for a perfect one.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from src_core.fields import determinant

__all__ = ["angle", "differences", "folding", "gradient", "organs", "smoothness", "tempered"]


def differences(field: Tensor) -> list[Tensor]:
    """Forward differences of (B, D, *spatial) along each spatial axis."""
    return [field.diff(dim=axis) for axis in range(2, field.dim())]


def gradient(error: Tensor) -> Tensor:
    """Mean squared forward difference, per item: weighs fine scales like coarse ones."""
    parts = [d.square().flatten(1).mean(1) for d in differences(error)]
    return torch.stack(parts).mean(0)


def angle(prediction: Tensor, target: Tensor, floor: float) -> Tensor:
    """1 - cosine between vectors, per item.

    Both get one more component, ``floor`` (> 0) long: vectors shorter than it fade out, and equal
    ones cost nothing at any length.
    """
    dot = (prediction * target).sum(1) + floor**2
    lengths = [(f.square().sum(1) + floor**2).sqrt() for f in (prediction, target)]
    return (1 - dot / (lengths[0] * lengths[1])).flatten(1).mean(1)


def tempered(error: Tensor, tail: float) -> Tensor:
    """A relative squared error that grows as the square root above ``tail``, smoothly joined."""
    return torch.where(error < tail, error, 2 * (tail * error.clamp_min(tail)).sqrt() - tail)


def smoothness(field: Tensor, threshold: float = 1e-4) -> Tensor:
    """L1 of the gradient above a threshold, per item."""
    parts = [(d.abs() - threshold).clamp_min(0).flatten(1).mean(1) for d in differences(field)]
    return torch.stack(parts).mean(0)


def folding(u: Tensor, margin: float = 0.0) -> Tensor:
    """How far determinants of x + u lie below ``margin``, mean per item: 0 where nothing folds.

    Args:
        u: (B, D, *spatial), voxels. The determinants are those at the corners of every cell,
            which in 2D bound all of the bilinear map.
    """
    return (margin - _corner_determinants(u)).clamp_min(0).flatten(2).mean((0, 2))


def organs(logits: Tensor, maps: Tensor) -> Tensor:
    """Cross-entropy + 1 - Dice, the mean over organs and over the items that have labels.

    Args:
        logits: (B, K, *n), one map for each organ: organs may lie in others.
        maps: (B, K, *n), 0 to 1; -1 where unknown.
    """
    known = (maps.flatten(1).amin(1) >= 0).to(logits)
    truth = maps.clamp_min(0)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    shares = logits.sigmoid()
    common, sizes = (shares * truth).flatten(2).sum(2), (shares + truth).flatten(2).sum(2)
    dice = (2 * common + 1) / (sizes + 1)
    each = entropy.flatten(2).mean(2) * logits[0, 0].numel() ** 0.5 + 1 - dice
    return (each.mean(1) * known).sum() / known.sum().clamp_min(1)


def _corner_determinants(u: Tensor) -> Tensor:
    """``det(I + du/dx)`` by the edges that meet in each corner: (2^D, B, *cells)."""
    ndim, found = u.shape[1], []
    unit = torch.eye(ndim, dtype=u.dtype, device=u.device).view(ndim, 1, ndim, *[1] * ndim)
    slopes = [u.diff(dim=axis) for axis in range(2, u.dim())]
    for corner in product((0, 1), repeat=ndim):
        columns = []
        for axis, slope in enumerate(slopes):
            for other in range(ndim):
                if other != axis:
                    slope = slope.narrow(other + 2, corner[other], u.shape[other + 2] - 1)
            columns.append((slope + unit[axis]).movedim(1, 0))
        found.append(determinant(columns))
    return torch.stack(found)
