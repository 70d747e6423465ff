"""The one resampler: images, labels and fields are sampled here and nowhere else.

A coordinate is a position in voxels of the sampled array, channel i along array axis i.
``I(phi(x))`` is a pull-back: the value at x is taken from where the map points to.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.errors import ArgumentError
from src_core.fields.cells import flat_index
from src_core.fields.kernels.place_loops import BORDER, FADE, INSIDE
from src_core.fields.kernels.sampling import can_sample, can_vote, sample_values, vote_labels
from src_core.fields.kernels.volumes import image_source, label_source, warp_sources

__all__ = [
    "Mode",
    "Padding",
    "identity",
    "inside",
    "labels_by_torch",
    "positions",
    "sample",
    "sample_by_torch",
    "sample_inside",
    "sample_square",
    "warp",
    "warp_labels",
    "warp_volumes",
]

Mode = Literal["linear", "cubic", "nearest"]
Padding = Literal["border", "zeros"]

# Up to this number of labels, sampling them one after the other is faster.
_FEW_LABELS = 8
_POINTS_AT_ONCE = 1 << 18
_RULES = {"border": BORDER, "zeros": FADE}
_TORCH_MODE = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}


def identity(shape: Sequence[int], like: Tensor) -> Tensor:
    """Positions of the voxels of a grid: (1, D, *shape), voxels, type and device of ``like``."""
    return positions([range(n) for n in shape], like)


def positions(part: Sequence[range], like: Tensor) -> Tensor:
    """Positions of a part of a grid's voxels, one range for each axis: (1, D, *lengths), voxels."""
    axes = [
        torch.arange(r.start, r.stop, r.step, dtype=like.dtype, device=like.device) for r in part
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


def inside(coordinates: Tensor, shape: Sequence[int]) -> Tensor:
    """Whether positions lie within half a voxel of the array: (B, D, *out) -> (B, *out) bool.

    This is ITK's rule: up to the outer edge of the border voxels, the far edge itself excluded.
    """
    size = _column(shape, coordinates)
    return ((coordinates >= -0.5) & (coordinates < size - 0.5)).all(dim=1)


def sample(
    image: Tensor, coordinates: Tensor, mode: Mode = "linear", padding: Padding = "border"
) -> Tensor:
    """Values of an array at positions.

    Args:
        image: (B or 1, C, *in), D = 2 or 3 spatial axes.
        coordinates: (B, D, *out), voxels of ``image``.
        mode: ``cubic`` is Keys' kernel (a = -0.75) and exists in 2D only.
        padding: ``border`` continues the border voxel, ``zeros`` fades to zero over one voxel.

    Returns:
        (B, C, *out).

    Raises:
        ArgumentError: shapes do not fit, or cubic in 3D.
    """
    ndim = coordinates.shape[1]
    if image.dim() != ndim + 2 or ndim not in (2, 3):
        raise ArgumentError(
            f"sample() 'coordinates' must be (B, D, *out) with D = {image.dim() - 2} for this "
            f"image, got {tuple(coordinates.shape)}"
        )
    if mode == "cubic" and ndim == 3:
        raise ArgumentError("sample() 'mode' cubic exists in 2D only, got a 3D image")
    if mode != "cubic" and can_sample(image, coordinates):
        return sample_values(image, coordinates, False, _RULES[padding], mode == "nearest")
    if image.shape[0] != coordinates.shape[0]:
        image = image.expand(coordinates.shape[0], *image.shape[1:])
    return sample_by_torch(image, coordinates, mode, padding)


def sample_by_torch(image: Tensor, coordinates: Tensor, mode: Mode, padding: Padding) -> Tensor:
    """What ``sample`` gives, by PyTorch on any device, with gradients."""
    span = _column([max(n - 1, 1) for n in image.shape[2:]], coordinates)
    unit = (coordinates * (2 / span) - 1).flip(1).movedim(1, -1)
    return functional.grid_sample(
        image, unit, mode=_TORCH_MODE[mode], padding_mode=padding, align_corners=True
    )


def sample_square(image: Tensor, relative: Tensor) -> Tensor:
    """Linear values of square arrays at relative positions, borders continued.

    Nothing is copied from the CPU, so that a CUDA graph can record it.

    Args:
        image: (B, C, n, n).
        relative: (B, 2, *out), -1 to 1 from outer edge to outer edge along each axis.

    Returns:
        (B, C, *out).
    """
    unit = relative.flip(1).movedim(1, -1)
    return functional.grid_sample(
        image, unit, mode="bilinear", padding_mode="border", align_corners=False
    )


def sample_inside(
    image: Tensor, coordinates: Tensor, outside: Tensor | float, mode: Mode = "linear"
) -> Tensor:
    """Like ``sample`` up to half a voxel beyond the array's voxel centres, ``outside`` further out.

    Args:
        outside: one value, or a tensor that broadcasts to (B, C, *out).
    """
    if mode != "cubic" and not isinstance(outside, Tensor) and can_sample(image, coordinates):
        nearest = mode == "nearest"
        return sample_values(image, coordinates, False, INSIDE, nearest, outside)
    within = inside(coordinates, image.shape[2:])[:, None]
    return torch.where(within, sample(image, coordinates, mode), outside)


def warp(image: Tensor, u: Tensor, mode: Mode = "linear", padding: Padding = "border") -> Tensor:
    """``I(x + u(x))`` for an image (B, C, *spatial) and a DDF u (B, D, *spatial), voxels."""
    if mode != "cubic" and can_sample(image, u):
        return sample_values(image, u, True, _RULES[padding], mode == "nearest")
    return sample(image, identity(u.shape[2:], u) + u, mode, padding)


def warp_labels(
    labels: Tensor, coordinates: Tensor, mode: Literal["linear", "nearest"] = "linear"
) -> Tensor:
    """Labels at positions: one-hot linear argmax, or nearest; 0 outside.

    Args:
        labels: (B or 1, 1, *in), integer values.
        coordinates: (B, D, *out), voxels of ``labels``.

    Returns:
        (B, 1, *out), int64. Ties go to the smaller label.
    """
    if can_vote(labels, coordinates):
        return vote_labels(labels, coordinates, INSIDE, mode == "nearest").to(torch.int64)
    return labels_by_torch(labels, coordinates, mode)


def labels_by_torch(
    labels: Tensor, coordinates: Tensor, mode: Literal["linear", "nearest"]
) -> Tensor:
    """What ``warp_labels`` gives, by PyTorch on any device."""
    values = torch.unique(labels)
    outside = ~inside(coordinates, labels.shape[2:])[:, None]
    if len(values) > _FEW_LABELS:
        return _many_labels(labels, coordinates, mode).masked_fill(outside, 0)
    best = torch.full_like(outside, -1, dtype=coordinates.dtype)
    result = torch.zeros_like(outside, dtype=torch.int64)
    for value in values:
        share = sample((labels == value).to(coordinates.dtype), coordinates, mode)
        result = torch.where(share > best, value.to(torch.int64), result)
        best = torch.maximum(best, share)
    return result.masked_fill(outside, 0)


def warp_volumes(
    images: Sequence[NDArray[Any]],
    labels: Sequence[NDArray[Any]],
    outside: Sequence[float],
    field: NDArray[Any],
    to_voxels: NDArray[np.float64],
    still: int | None,
    mode: Literal["linear", "nearest"],
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]] | None:
    """Images (linear) and label maps pulled back together, by compiled loops.

    Args:
        images: (X, Y, Z) or (X, Y, Z, T), in their stored types.
        labels: the same.
        outside: value of each image outside the grid.
        field: (X, Y, Z, 3), mm, on the same grid.
        to_voxels: (3, 3), voxels from mm.
        still: axis along which nothing moves, or None.
        mode: of labels, as for ``warp_labels``.

    Returns:
        New arrays of the same types, or None where the loops cannot take some of these.
    """
    pictures = [image_source(one, value) for one, value in zip(images, outside, strict=True)]
    maps = [label_source(one) for one in labels]
    known = [one for one in pictures if one], [one for one in maps if one]
    if None in pictures or None in maps:
        return None
    if not warp_sources(*known, field, to_voxels, still, mode == "nearest"):
        return None
    return [one.data for one in known[0]], [one.data for one in known[1]]


def _many_labels(labels: Tensor, coordinates: Tensor, mode: Mode) -> Tensor:
    """What ``warp_labels`` gives inside, at a cost that does not grow with the number of labels."""
    shape, ndim = labels.shape[2:], coordinates.shape[1]
    found = []
    for index, at in enumerate(coordinates.flatten(2)):
        values = labels[index % len(labels)].to(torch.int64).flatten()
        parts = (_at_corners(values, shape, part, mode) for part in at.split(_POINTS_AT_ONCE, 1))
        found.append(torch.cat(list(parts)))
    return torch.stack(found).view(len(found), 1, *coordinates.shape[-ndim:])


def _at_corners(values: Tensor, shape: Sequence[int], at: Tensor, mode: Mode) -> Tensor:
    """Labels at points (D, n): the one with the largest sum of weights among the cell's corners.

    Weights are rounded, multiplied and added up as ``grid_sample`` does it.
    """
    last = _column(shape, at[None])[0].flatten(1) - 1
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


def _column(numbers: Sequence[int], like: Tensor) -> Tensor:
    ndim = len(numbers)
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).view(1, ndim, *[1] * ndim)
