"""Labels at positions by PyTorch, at a cost that does not grow with the number of labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import torch
from torch import Tensor

from src_core.fields.cells import column, flat_index

__all__ = ["many_labels"]

_POINTS_AT_ONCE = 1 << 18


def many_labels(labels: Tensor, coordinates: Tensor, mode: Literal["linear", "nearest"]) -> Tensor:
    """What ``warp_labels`` gives inside, at a cost that does not grow with the number of labels."""
    shape, ndim = labels.shape[2:], coordinates.shape[1]
    found = []
    for index, at in enumerate(coordinates.flatten(2)):
        values = labels[index % len(labels)].to(torch.int64).flatten()
        parts = (_at_corners(values, shape, part, mode) for part in at.split(_POINTS_AT_ONCE, 1))
        found.append(torch.cat(list(parts)))
    return torch.stack(found).view(len(found), 1, *coordinates.shape[-ndim:])


def _at_corners(
    values: Tensor, shape: Sequence[int], at: Tensor, mode: Literal["linear", "nearest"]
) -> Tensor:
    """Labels at points (D, n): the one with the largest sum of weights among the cell's corners.

    Weights are rounded, multiplied and added up as PyTorch's sampler does it.
    """
    last = column(shape, at[None])[0].flatten(1) - 1
    at = (((at * (2 / last.clamp(min=1)) - 1) + 1) / 2 * last).clamp(min=0).minimum(last)
    if mode == "nearest":
        return values[flat_index(at.round().long(), shape)]
    low = at.floor()
    share = at - low
    ends = list(product((0, 1), repeat=len(shape)))
    places = [low.long() + torch.tensor(end)[:, None] for end in ends]
    corners = torch.stack([values[flat_index(p.minimum(last.long()), shape)] for p in places])
    result = corners[0].clone()
    mixed = (corners != result).any(0).nonzero()[:, 0]
    if len(mixed):
        weights = [_weight(share[:, mixed], end) for end in ends]
        result[mixed] = _heaviest(corners[:, mixed], weights)
    return result


def _heaviest(corners: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """The label with the largest sum of weights, the smallest on a tie: (2^D, n) -> (n,)."""
    best, result = torch.full_like(weights[0], -1), torch.zeros_like(corners[0])
    for label in corners:
        total = torch.zeros_like(best)
        for other, weight in zip(corners, weights, strict=True):
            total += torch.where(other == label, weight, 0.0)
        better = (total > best) | ((total == best) & (label < result))
        best, result = torch.where(better, total, best), torch.where(better, label, result)
    return result


def _weight(share: Tensor, end: Sequence[int]) -> Tensor:
    factors = [t if far else 1 - t for t, far in zip(share, end, strict=True)]
    weight = factors[-1]
    for factor in factors[-2::-1]:
        weight = weight * factor
    return weight
