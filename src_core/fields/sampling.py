"""The one resampler: images, labels and fields are sampled here and nowhere else.

A coordinate is a position in voxels of the sampled array, channel i along array axis i.
``I(phi(x))`` is a pull-back: the value at x is taken from where the map points to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.errors import ArgumentError
from src_core.fields.cells import column
from src_core.fields.kernels.compiled import COMPILING, compiling
from src_core.fields.kernels.compiled import available as compiled_loops
from src_core.fields.kernels.place_loops import BORDER, FADE, INSIDE
from src_core.fields.kernels.plane import can_warp_planes, warped_planes
from src_core.fields.kernels.sampling import can_sample, can_vote, sample_values, vote_labels
from src_core.fields.kernels.vectors import can_enlarge, enlarged
from src_core.fields.kernels.volumes import image_source, label_source, warp_sources
from src_core.fields.label_votes import many_labels

__all__ = [
    "COMPILING",
    "Mode",
    "Padding",
    "compiled_loops",
    "compiling",
    "identity",
    "inside",
    "labels_by_torch",
    "positions",
    "sample",
    "sample_by_torch",
    "sample_inside",
    "sample_lines",
    "sample_square",
    "warp",
    "warp_labels",
    "warp_volumes",
]

Mode = Literal["linear", "cubic", "nearest"]
Padding = Literal["border", "zeros"]

# Up to this number of labels, sampling them one after the other is faster.
_FEW_LABELS = 8
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
    size = column(shape, coordinates)
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
    span = column([max(n - 1, 1) for n in image.shape[2:]], coordinates)
    unit = (coordinates * (2 / span) - 1).flip(1).movedim(1, -1)
    return functional.grid_sample(
        image, unit, mode=_TORCH_MODE[mode], padding_mode=padding, align_corners=True
    )


def sample_lines(image: Tensor, lines: Sequence[Tensor]) -> Tensor:
    """Linear values of an array (B, C, *in) on a grid, borders continued: (B, C, *out).

    Args:
        lines: positions along each axis, voxels of ``image``, in its type and on its device.
    """
    if can_enlarge(image):
        return enlarged(image, lines)
    at = torch.stack(torch.meshgrid(*lines, indexing="ij"))[None]
    return sample(image, at.expand(len(image), *at.shape[1:]))


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
    if mode == "linear" and can_warp_planes(image, u):
        return warped_planes(image, u, 1, padding == "zeros")
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
        return many_labels(labels, coordinates, mode).masked_fill(outside, 0)
    best = torch.full_like(outside, -1, dtype=coordinates.dtype)
    result = torch.zeros_like(outside, dtype=torch.int64)
    for value in values:
        mask = (labels == value).to(coordinates.dtype)
        mask = mask.expand(len(coordinates), *mask.shape[1:])
        share = sample_by_torch(mask, coordinates, mode, "border")
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
