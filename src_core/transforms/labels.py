"""Labels at positions, fast: interpolated only in cells whose corners differ.

In any other cell one-hot linear argmax, and nearest, give the corners' one label.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from src_core.fields.cells import flat_index
from src_core.fields.sampling import inside, warp_labels

__all__ = ["labels_at"]


def labels_at(
    labels: Tensor, coordinates: Tensor, mode: Literal["linear", "nearest"] = "linear"
) -> Tensor:
    """What ``warp_labels`` gives, for any number of channels.

    Args:
        labels: (B, K, *in), whole numbers of whatever type.
        coordinates: (B, D, *out), voxels of ``labels``.

    Returns:
        (B, K, *out), of the labels' type; 0 outside.
    """
    pairs = zip(labels.split(1), coordinates.split(1), strict=True)
    return torch.cat([_one(some, at, mode) for some, at in pairs])


def _one(labels: Tensor, at: Tensor, mode: Literal["linear", "nearest"]) -> Tensor:
    shape = labels.shape[2:]
    points = at.flatten(2)[0]
    cells = [p.floor().clamp(0, max(n - 2, 0)).long() for p, n in zip(points, shape, strict=True)]
    index = flat_index(cells, shape)
    found = labels[0].flatten(1)[:, index]
    found = found.masked_fill(~inside(at, shape).flatten(), 0)
    between = _meeting(labels).flatten()[index].nonzero()[:, 0]
    asked = points[:, between].view(1, len(shape), -1, *[1] * (len(shape) - 1))
    found[:, between] = warp_labels(labels, asked, mode).flatten(2)[0].to(labels.dtype)
    return found.view(1, labels.shape[1], *at.shape[2:])


def _meeting(labels: Tensor) -> Tensor:
    """Whether the corners of the cell above each voxel differ in any channel: (*in), bool."""
    least = most = labels.byte() if labels.dtype == torch.bool else labels
    for axis in range(2, labels.dim()):
        last = least.shape[axis] - 1
        following = torch.arange(last + 1, device=labels.device).add(1).clamp(max=last)
        least = torch.minimum(least, least.index_select(axis, following))
        most = torch.maximum(most, most.index_select(axis, following))
    return (least != most)[0].any(0)
