"""Smooth discs and balls on isotropic grids, as images and as cases to register."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from src_core.evaluation.registered.placed import PaintedCase
from src_core.fields.sampling import identity

__all__ = ["disc", "disc_in_body"]


def disc(side: int, radius: float, centre: Sequence[float], ndim: int = 2) -> Tensor:
    """Share of each voxel in a disc or ball, (1, 1, *side); the centre is from the grid's own."""
    at = identity([side] * ndim, torch.zeros(1)) - (side - 1) / 2
    away = at - torch.tensor(centre, dtype=torch.float32).view(1, -1, *[1] * ndim)
    return (radius - away.norm(dim=1, keepdim=True) + 0.5).clamp(0, 1)


def disc_in_body(
    side: int, mm: float, radius: float, shift: Sequence[float], body: Sequence[float] = (34, 18)
) -> PaintedCase:
    """A labelled disc of a radius (mm) in a large elliptic body, both shifted by mm."""
    ndim = len(shift)
    label = disc(side, radius / mm, [s / mm for s in shift], ndim)
    at = (identity([side] * ndim, torch.zeros(1)) - (side - 1) / 2) * mm
    halves = torch.tensor([*body, body[-1]][:ndim]).view(1, -1, *[1] * ndim)
    off = torch.tensor(shift, dtype=torch.float32).view(1, -1, *[1] * ndim)
    inside = (body[-1] / mm * (1 - ((at - off) / halves).norm(dim=1, keepdim=True)) + 0.5).clamp(
        0, 1
    )
    return PaintedCase(0.2 * inside * (1 - label) + label, label, mm)
