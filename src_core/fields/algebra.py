"""Displacements as a group: ``compose(u, v)(x) = v(x) + u(x + v(x))`` is the DDF of phi_u o phi_v.

``exponential(v)`` flows along a stationary velocity for unit time by scaling and squaring.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from src_core.errors import ArgumentError
from src_core.fields.kernels.algebra import can_compose, composed, squared
from src_core.fields.kernels.vectors import (
    can_enlarge,
    can_take_magnitudes,
    enlarged,
    magnitudes,
)
from src_core.fields.sampling import Padding, warp

__all__ = [
    "compose",
    "enlarge",
    "enlarge_by_torch",
    "exponential",
    "magnitude",
    "resized",
    "smooth",
    "squarings_for",
]


def compose(u: Tensor, v: Tensor, padding: Padding = "border") -> Tensor:
    """DDF of ``phi_u o phi_v``: first v moves the point, then u.

    Args:
        u: (B, D, *spatial), voxels.
        v: (B, D, *spatial), voxels of the same grid.
    """
    if u.shape[1:] != v.shape[1:] or u.dim() != u.shape[1] + 2:
        raise ArgumentError(
            f"compose() 'u' and 'v' must be (B, D, *spatial) of one grid, "
            f"got {tuple(u.shape)} and {tuple(v.shape)}"
        )
    if padding == "border" and can_compose(u, v):
        return composed(u, v)
    return v + warp(u, v, padding=padding)


def exponential(velocity: Tensor, squarings: int) -> Tensor:
    """``exp(v)``: the DDF after unit time, by ``squarings`` self-compositions of v / 2^n.

    Args:
        velocity: (B, D, *spatial), voxels per unit time.
        squarings: 8 resolves displacements of 50 voxels in steps of a fifth of a voxel.

    Source: Arsigny et al. 2006, doi:10.1007/11866565_113.
    """
    u = velocity / 2**squarings
    if can_compose(u, u):
        return squared(u, squarings)
    for _ in range(squarings):
        u = compose(u, u)
    return u


def squarings_for(velocity: Tensor, step: float = 0.25) -> int:
    """Squarings that make the first step at most ``step`` voxels along each axis."""
    longest = float(velocity.detach().abs().max())
    return max(0, int(torch.tensor(longest / step).clamp_min(1).log2().ceil()))


def enlarge(u: Tensor, factor: int) -> Tensor:
    """The same map on a grid ``factor`` times finer, by linear interpolation: units follow."""
    if u.dim() == 5 and can_enlarge(u):  # in 2D, PyTorch is as fast
        lines = [
            (torch.arange(n * factor, dtype=u.dtype) + 0.5) / factor - 0.5 for n in u.shape[2:]
        ]
        return enlarged(u * factor, lines)
    return enlarge_by_torch(u, factor)


def enlarge_by_torch(u: Tensor, factor: int) -> Tensor:
    """What ``enlarge`` gives, by PyTorch on any device, with gradients."""
    mode = {2: "bilinear", 3: "trilinear"}[u.shape[1]]
    return functional.interpolate(u * factor, scale_factor=factor, mode=mode, align_corners=False)


def resized(maps: Tensor, side: int) -> Tensor:
    """Values (B, C, *n) on a grid of ``side`` voxels over the same image: means, or linear."""
    if (factor := maps.shape[-1] // side) > 1:
        return {4: functional.avg_pool2d, 5: functional.avg_pool3d}[maps.dim()](maps, factor)
    mode = {4: "bilinear", 5: "trilinear"}[maps.dim()]
    size = [side] * (maps.dim() - 2)
    same = maps.shape[-1] == side
    return maps if same else functional.interpolate(maps, size, mode=mode, align_corners=False)


def smooth(u: Tensor, deviation: float) -> Tensor:
    """A field (B, D, *spatial) under a Gaussian, voxels, cut at 3 deviations; 0 leaves it as it is.

    Beyond the border, the border's value continues.
    """
    if not deviation:
        return u
    radius = max(1, round(3 * deviation))
    line = torch.arange(-radius, radius + 1, dtype=u.dtype, device=u.device)
    kernel = torch.exp(-(line**2) / (2 * deviation**2))
    kernel = kernel / kernel.sum()
    for axis in range(2, u.dim()):
        rows = u.movedim(axis, -1)
        flat = functional.pad(rows.flatten(0, -2)[:, None], (radius, radius), mode="replicate")
        out = functional.conv1d(flat, kernel[None, None])
        u = out.view(rows.shape).movedim(-1, axis)
    return u.contiguous()


def magnitude(u: Tensor, spacing: Sequence[float] | None = None) -> Tensor:
    """Length of a displacement: (B, D, *spatial) -> (B, *spatial), voxels, or mm by a spacing."""
    if can_take_magnitudes(u):
        return magnitudes(u, [1.0] * u.shape[1] if spacing is None else spacing)
    if spacing is not None:
        scale = torch.tensor(spacing, dtype=u.dtype, device=u.device)
        u = u * scale.view(1, -1, *[1] * (u.dim() - 2))
    return torch.linalg.vector_norm(u, dim=1)
