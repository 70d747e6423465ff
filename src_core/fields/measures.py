"""Jacobian, folds, certificate and lengths of any displacement field, a large one in parts.

A part is measured with the layer of voxels on either side that central differences ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.tiles import parts, tile_axis
from src_core.errors.interruption import pause
from src_core.fields import Certificate, certify, combined, jacobian_determinant
from src_core.fields.kernels import vectors
from src_core.fields.planes import Field, along_axis
from src_core.fields.saved import SavedField

__all__ = ["FieldMeasures", "field_metrics", "lengths", "measure_field"]


@dataclass(frozen=True, eq=False)
class FieldMeasures:
    """What a field does to volume.

    Attributes:
        jacobian: (X, Y, Z), float32, determinant by central differences.
        folding_permille: share of the voxels off the border where it is 0 or less.
        proof: of the map between the voxels.
    """

    jacobian: NDArray[np.float32]
    folding_permille: float
    proof: Certificate


@torch.inference_mode()
def measure_field(saved: SavedField) -> FieldMeasures:
    """Measure a saved field."""
    shape, along, axis = saved.shape, saved.along, saved.axis
    jacobian = np.empty(shape, np.float32)
    folded, inner, n = 0, 0, shape[along]
    proofs: list[Certificate] = []
    for part in saved.parts():
        pause()
        margin = 0 if along == axis else 1
        first, last = max(part.start - margin, 0), min(part.stop + margin, n)
        u = saved.read(first, last)
        own = slice(part.start - first, part.stop - first)
        det = jacobian_determinant(u).numpy()
        whole = det[0] if axis is None else np.moveaxis(det, 0, axis)
        values = whole[along_axis(along, own)]
        jacobian[along_axis(along, part)] = values
        off_border = values[_inside(shape, axis, along, part)]
        folded, inner = folded + int((off_border <= 0).sum()), inner + off_border.size
        between = _cells(u, own, saved.place)
        proofs += certify(between) if between is not None else []
    everywhere = np.ascontiguousarray(np.broadcast_to(jacobian, saved.grid.shape))
    return FieldMeasures(everywhere, folded / inner * 1000, combined(proofs))


def field_metrics(
    field: Field, grid: Grid, axis: int | None
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Determinant (X, Y, Z) by central differences, and the numbers of ``metrics.json``.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``grid``.
        axis: along which nothing moves, None in 3D.
    """
    found = measure_field(SavedField(field, grid, axis))
    sides = [n * s for a, (n, s) in enumerate(zip(grid.shape, grid.spacing, strict=True))
             if a != axis]  # fmt: skip
    longest, mean = lengths(field)
    return found.jacobian, {
        "max_percent": 100 * longest / max(sides),
        "mean_percent": 100 * mean / max(sides),
        "max_mm": longest,
        "mean_mm": mean,
        "folding_permille": found.folding_permille,
        "strict_folding_permille": found.proof.strict_folding_permille,
        "min_det": found.proof.min_det,
    }


def lengths(field: Field) -> tuple[float, float]:
    """Largest and mean length of the vectors of a field (X, Y, Z, 3)."""
    if vectors.can_measure(field):
        longest, total = vectors.lengths(field)
        return longest, total / (field.size // 3)
    longest, total = 0.0, 0.0
    along = tile_axis(field.shape[:3], None)
    for part in parts(field.shape[:3], along):
        length = np.linalg.norm(field[along_axis(along, part)].astype(np.float64), axis=-1)
        longest, total = max(longest, float(length.max())), total + float(length.sum())
    return longest, total / (field.size // 3)


def _cells(u: Tensor, own: slice, place: int | None) -> Tensor | None:
    """The part of u whose cells begin in a part: its voxels, and the layer that ends the last."""
    if place is None:
        return u
    length = min(own.stop + 1, u.shape[2 + place]) - own.start
    return u.narrow(2 + place, own.start, length) if length > 1 else None


def _inside(shape: Sequence[int], axis: int | None, along: int, part: slice) -> tuple[slice, ...]:
    """Index of a part's voxels off the border; an axis of two voxels has no inside."""
    index = [slice(None) if a == axis or n <= 2 else slice(1, -1) for a, n in enumerate(shape)]
    if along != axis and shape[along] > 2:
        first, last = max(part.start, 1), min(part.stop, shape[along] - 1)
        index[along] = slice(first - part.start, max(last - part.start, 0))
    return tuple(index)
