"""Cells of a grid: what every measure of ``phi(x) = x + u(x)`` between the voxels shares.

A cell is the box between 2^D neighbouring voxels, named by its lowest corner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from src_core.errors import ArgumentError

__all__ = [
    "column",
    "corners_of",
    "determinant",
    "flat_index",
    "lowest_corners",
    "multilinear",
    "require_field",
    "slabs",
]


def require_field(caller: str, u: Tensor) -> None:
    """Refuse what is no displacement field with a cell in it.

    Args:
        caller: the function to name in the message.
        u: (B, D, *spatial), voxels.

    Raises:
        ArgumentError: the shape or type does not fit, an axis has one voxel, a value is not finite.
    """
    if u.dim() not in (4, 5) or u.shape[1] != u.dim() - 2:
        raise ArgumentError(
            f"{caller}() 'u' must be (B, D, *spatial) with D = 2 or 3, got {tuple(u.shape)}"
        )
    if min(u.shape[2:]) < 2:
        raise ArgumentError(
            f"{caller}() 'u' must have 2 voxels or more along each axis, got {tuple(u.shape)}"
        )
    if not u.is_floating_point():
        raise ArgumentError(f"{caller}() 'u' must be of a floating type, got {u.dtype}")
    # A sum over what is not finite is not finite either, and takes one pass.
    if not bool(torch.isfinite(u.sum())) and not bool(torch.isfinite(u).all()):
        wrong = int((~torch.isfinite(u)).sum())
        raise ArgumentError(f"{caller}() 'u' must be finite, got {wrong} values that are not")


def determinant(columns: Sequence[Tensor]) -> Tensor:
    """Determinants of D x D matrices given by their columns, (D, ...) each -> (...)."""
    if len(columns) == 2:
        a, b = columns
        return a[0] * b[1] - a[1] * b[0]
    a, b, c = columns
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        + a[1] * (b[2] * c[0] - b[0] * c[2])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )


def slabs(values: Tensor, cells: int) -> Iterator[tuple[int, Tensor]]:
    """Cut (C, X, ...) along X into parts of about ``cells`` cells, each with its first layer.

    A part ends with the layer that the next begins with, so that every cell is in one of them.
    """
    thickness = max(1, cells // values[0, 0].numel())
    for start in range(0, values.shape[1] - 1, thickness):
        yield start, values[:, start : start + thickness + 1]


def flat_index(places: Sequence[Tensor] | Tensor, shape: Sequence[int]) -> Tensor:
    """Index into the flattened grid of whole-voxel places, one int64 tensor per axis."""
    index = places[0]
    for place, n in zip(places[1:], shape[1:], strict=True):
        index = index * n + place
    return index


def lowest_corners(cells: Tensor, shape: Sequence[int]) -> Tensor:
    """Flat index in the grid (shape) of the lowest corner of cells, numbered in order: (n,)."""
    return flat_index(torch.unravel_index(cells, [n - 1 for n in shape]), shape)


def corners_of(values: Tensor, lowest: Tensor) -> Tensor:
    """Values at the corners of cells.

    Args:
        values: (C, *spatial).
        lowest: (n,) int64, flat index of each cell's lowest corner.

    Returns:
        (C, 2, ..., 2, n), one axis of two per spatial axis.
    """
    shape = values.shape[1:]
    ends = torch.meshgrid(*[torch.arange(2)] * len(shape), indexing="ij")
    return values.flatten(1)[:, flat_index(ends, shape)[..., None] + lowest]


def multilinear(corners: Tensor, share: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Value and exact derivatives inside cells.

    Args:
        corners: (C, 2, ..., 2, n), as ``corners_of`` gives them.
        share: (D, n or 1), how far along each axis; 0 and 1 are the corners.

    Returns:
        Values (C, n), and the derivative along each axis, (C, n) each.
    """
    value, slopes = corners, list[Tensor]()
    for t in share:
        slopes = [_between(slope, t) for slope in slopes]
        slopes.append(value.select(1, 1) - value.select(1, 0))
        value = _between(value, t)
    return value, slopes


def _between(x: Tensor, t: Tensor) -> Tensor:
    low, high = x.select(1, 0), x.select(1, 1)
    return torch.addcmul(low, high - low, t)


def column(numbers: Sequence[int], like: Tensor) -> Tensor:
    """One number for each axis, to be used with (B, D, *spatial): (1, D, 1, ...)."""
    ndim = len(numbers)
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).view(1, ndim, *[1] * ndim)
