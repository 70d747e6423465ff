"""A field at the voxels of another grid: resampled linearly, zero beyond its own."""

from __future__ import annotations

import math

import numpy as np
import torch

from src_core.cases.grid import Grid
from src_core.cases.tiles import parts
from src_core.fields.planes import Field
from src_core.fields.sampling import inside, positions, sample_inside

__all__ = ["covered_percent", "on_grid"]


def on_grid(field: Field, source: Grid, target: Grid) -> Field:
    """A field at the voxels of another grid, linear; zero beyond its own, as ITK has it.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``source``.

    Returns:
        (X', Y', Z', 3), LPS mm, on ``target``.
    """
    if source.shape == target.shape and source.distance_mm(target) < 1e-4 * min(target.spacing):
        return field
    moved = np.empty((*target.shape, 3), np.float32)
    values = torch.from_numpy(np.moveaxis(field, -1, 0)[None].astype(np.float64))
    for part in parts(target.shape, 2):
        at = _positions(source, target, part)
        found = sample_inside(values, at, 0.0)
        moved[:, :, part] = np.moveaxis(found[0].numpy(), 0, -1)
    return moved


def covered_percent(source: Grid, target: Grid) -> float:
    """How much of a grid's voxels lie inside another grid, %."""
    counts = [
        int(inside(_positions(source, target, part), source.shape).sum())
        for part in parts(target.shape, 2)
    ]
    return 100 * sum(counts) / math.prod(target.shape)


def _positions(source: Grid, target: Grid, part: slice) -> torch.Tensor:
    """Slices of ``target`` in voxels of ``source``: (1, 3, X', Y', part), float64."""
    to_source = np.linalg.inv(source.affine) @ target.affine
    x, y, z = (range(n) for n in target.shape)
    voxels = positions([x, y, z[part]], torch.zeros(1, dtype=torch.float64))
    at = torch.from_numpy(to_source[:3, :3]) @ voxels[0].flatten(1)
    return (at + torch.from_numpy(to_source[:3, 3:])).reshape(voxels.shape)
