"""Images and labels moved by a displacement of their own voxels, ``I(x + u(x))``, ended outside.

Outside, half a voxel beyond the centres, images take a given value and labels 0.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from src_core.fields.kernels.plane import plane_labels, plane_values
from src_core.fields.sampling import Mode, identity, sample_inside

__all__ = ["displaced", "moved_images", "moved_slices"]


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
