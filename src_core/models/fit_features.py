"""What a network sees in images, as a few numbers by which known images differ from others.

A network with organs is certain of them and finds each in one piece; of one without organs the
channels of its bottleneck are taken.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.models.network_kind import Activations

__all__ = ["image_features"]

_SMALL = 1e-3


def image_features(seen: Activations) -> NDArray[np.float64]:
    """Features of undeformed images by themselves: (N, F)."""
    found = _moments(seen.bottleneck) if seen.organs is None else _organs(seen.organs)
    return found.double().numpy()


def _moments(stage: Tensor) -> Tensor:
    """Mean and logarithm of the deviation of each channel: (N, 2C)."""
    flat = stage.flatten(2)
    return torch.cat([flat.mean(2), (flat.std(2) + _SMALL).log()], 1)


def _organs(organs: Tensor) -> Tensor:
    """Largest certainty, share of unsure voxels, and spread of each organ: (N, 3K).

    The spread is the radius of gyration over the diameter of a square of the same size: large where
    an organ is found in several places.
    """
    ndim, flat = organs.dim() - 2, organs.flatten(2)
    axes = [torch.linspace(-1, 1, n) for n in organs.shape[2:]]
    at = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
    total = flat.sum(2) + _SMALL
    unsure = (flat * (1 - flat)).sum(2) / total
    centre = torch.einsum("nks,ds->nkd", flat, at) / total[..., None]
    square = torch.einsum("nks,s->nk", flat, at.square().sum(0)) / total
    radius = (square - centre.square().sum(2)).clamp_min(1e-4).sqrt()
    size = flat.mean(2).clamp_min(1e-6) ** (1 / ndim)
    return torch.cat([flat.amax(2), unsure, (radius / (size + 0.02)).log()], 1)
