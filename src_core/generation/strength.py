"""How far a level and a seed move an image before any network is asked: of the random field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from src_core.cases.grid import Grid
from src_core.diffusion.random_field import generator
from src_core.generation.session import flow_of
from src_core.models.device import fixed_threads
from src_core.models.fit import Fit
from src_core.models.model import ModelSpec

__all__ = ["FieldStrength", "field_strength"]


@dataclass(frozen=True)
class FieldStrength:
    """Lengths of a displacement over an image, mm.

    Attributes:
        mean_mm: mean.
        most_mm: what 95 % of the image stay below.
    """

    mean_mm: float
    most_mm: float


def field_strength(spec: ModelSpec, grid: Grid, level: int, seeds: Sequence[int]) -> FieldStrength:
    """The random field of a seed (or of a seed and a slice) over a case, in milliseconds in 2D.

    Recovery takes part of it back. Measured on the state grid; a region is not regarded.

    Args:
        spec: of the model.
        grid: of the case.
        level: of the deformation; 0 moves nothing.
        seeds: as for ``generator``.
    """
    if not level:
        return FieldStrength(0.0, 0.0)
    kept = [a for a in range(3) if spec.ndim == 3 or a != grid.slice_axis]
    shape, spacing = tuple(grid.shape[a] for a in kept), tuple(grid.spacing[a] for a in kept)
    fit = Fit(shape, spacing, spec.size)
    with torch.inference_mode(), fixed_threads():
        draws = spec.random_field.draw(spec.ndim, generator(*seeds))
        u = flow_of(spec, draws, level).start()[0]
        lengths = torch.linalg.vector_norm(u, dim=0)[fit.inside(spec.state)]
    mm = lengths.double() * (fit.mm_per_pixel * spec.size / spec.state)
    return FieldStrength(float(mm.mean()), float(torch.quantile(mm[:: 1 + len(mm) // 10**6], 0.95)))
