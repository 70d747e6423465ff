"""Images and labels moved by a displacement, ``I(x + u(x))``.

In ``moved_images`` and ``moved_slices`` they end half a voxel beyond their centres, where images
take a given value and labels 0.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from src_core.fields.algebra import enlarge
from src_core.fields.kernels.plane import (
    can_warp_planes,
    plane_labels,
    plane_values,
    warped_planes,
)
from src_core.fields.sampling import Mode, Padding, identity, sample_inside, warp

__all__ = ["displaced", "moved_images", "moved_slices", "warp_enlarged"]


def displaced(u: Tensor) -> Tensor:
    """Positions ``x + u(x)`` of a displacement (B, D, *spatial), voxels."""
    return identity(u.shape[2:], u) + u


def moved_images(images: Tensor, u: Tensor, outside: Tensor, mode: Mode) -> Tensor:
    """Images (B or 1, C, *in) moved by a displacement.

    Args:
        images: of the type of ``u``; gradients reach them.
        u: (B, D, *out), voxels of the images.
        outside: (C,), each channel's value outside.
        mode: as for ``sample``.

    Returns:
        (B, C, *out).
    """
    once = plane_values(images, u, outside) if mode == "linear" else None
    if once is not None:
        return once
    column = outside.view(1, -1, *[1] * (images.dim() - 2))
    return sample_inside(images, displaced(u), column, mode)


def moved_slices(labels: Tensor, u: Tensor, mode: Literal["linear", "nearest"]) -> Tensor | None:
    """Labels (1, C, A, B) of one slice in one pass; None for others than ``plane_labels`` takes."""
    return plane_labels(labels, u) if mode == "linear" else None


def warp_enlarged(images: Tensor, u: Tensor, mode: Mode, padding: Padding) -> Tensor:
    """As ``warp``, by a displacement of a grid that is as coarse as the images or coarser.

    Args:
        images: (B or 1, C, *in), a whole number of voxels to each voxel of u.
        u: (B, D, *coarse), voxels of its own grid.

    Returns:
        (B, C, *in).
    """
    factor = images.shape[-1] // u.shape[-1]
    if mode == "linear" and can_warp_planes(images, u):
        return warped_planes(images, u, factor, padding == "zeros")
    return warp(images, enlarge(u, factor) if factor > 1 else u, mode, padding)
