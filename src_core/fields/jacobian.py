"""Jacobian determinant of ``phi(x) = x + u(x)`` at the voxels: det(I + du/dx).

Central differences inside, one-sided at the borders; the usual measure of published tables.
It misses folds between the voxels: ``certify`` does not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from src_core.fields.cells import determinant, require_field
from src_core.fields.kernels.jacobian import can_determine, determinants

__all__ = ["folding_permille", "jacobian_by_torch", "jacobian_determinant"]


def jacobian_determinant(u: Tensor) -> Tensor:
    """How the map changes volume at each voxel: 1 keeps it, 0 or less folds.

    Differentiable, in the type and on the device of u.

    Args:
        u: (B, D, *spatial), D = 2 or 3, voxels.

    Returns:
        (B, *spatial).

    Raises:
        ArgumentError: u is not such a field, has a one-voxel axis or is not finite.
    """
    require_field("jacobian_determinant", u)
    if can_determine(u):
        return determinants(u)
    return jacobian_by_torch(u)


def jacobian_by_torch(u: Tensor) -> Tensor:
    """What ``jacobian_determinant`` gives, by PyTorch on any device, with gradients."""
    columns = []
    for axis in range(u.shape[1]):
        (slope,) = torch.gradient(u.movedim(1, 0), dim=axis + 2)
        unit = torch.eye(u.shape[1], dtype=u.dtype, device=u.device)[axis]
        columns.append(slope + unit.view(-1, *[1] * (u.dim() - 1)))
    return determinant(columns)


def folding_permille(u: Tensor) -> Tensor:
    """Voxels whose determinant by central differences is 0 or less, in permille.

    Args:
        u: (B, D, *spatial), D = 2 or 3, voxels.

    Returns:
        (B,) float64 on the CPU: the share of the voxels off the border. An axis of two voxels has
        no inside; there its one-sided differences count.
    """
    require_field("folding_permille", u)
    det = jacobian_determinant(u.detach().cpu().double())
    inner = tuple(slice(1, -1) if n > 2 else slice(None) for n in u.shape[2:])
    folded = det[(slice(None), *inner)] <= 0
    return folded.flatten(1).double().mean(1) * 1000
