"""Jacobian, folds, certificate and lengths of any displacement field, a large one in parts.

A part is measured with the layer of voxels on either side that central differences ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.deform import Field, along_axis, field_tensor
from src_core.fields import certify, jacobian_determinant
from src_core.grid import Grid
from src_core.tiles import parts, tile_axis

__all__ = ["field_measures"]


@torch.inference_mode()
def field_measures(
    field: Field, grid: Grid, axis: int | None
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Determinant (X, Y, Z) by central differences, and the numbers of ``metrics.json``.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``grid``.
        axis: along which nothing moves, None in 3D.
    """
    shape = field.shape[:3]
    jacobian = np.empty(shape, np.float32)
    longest, total, folded, inner, bad, cells = 0.0, 0.0, 0, 0, 0, 0
    least = np.inf
    along = tile_axis(shape, axis)
    n = shape[along]
    for part in parts(shape, along):
        lengths = np.linalg.norm(field[along_axis(along, part)].astype(np.float64), axis=-1)
        longest, total = max(longest, float(lengths.max())), total + float(lengths.sum())
        margin = 0 if along == axis else 1
        first, last = max(part.start - margin, 0), min(part.stop + margin, n)
        u = field_tensor(field[along_axis(along, slice(first, last))], grid, axis)
        own = slice(part.start - first, part.stop - first)
        det = jacobian_determinant(u)
        whole = det.numpy()[0] if axis is None else np.moveaxis(det.numpy(), 0, axis)
        values = whole[along_axis(along, own)]
        jacobian[along_axis(along, part)] = values
        off_border = values[_inside(shape, axis, along, part)]
        folded, inner = folded + int((off_border <= 0).sum()), inner + off_border.size
        between = _cells(u, own, axis, along)
        for proof in certify(between) if between is not None else ():
            least = min(least, proof.min_det)
            bad, cells = bad + proof.bad_cells, cells + proof.cells
    sides = [n * s for a, (n, s) in enumerate(zip(shape, grid.spacing, strict=True)) if a != axis]
    mean = total / jacobian.size
    return jacobian, {
        "max_percent": 100 * longest / max(sides),
        "mean_percent": 100 * mean / max(sides),
        "max_mm": longest,
        "mean_mm": mean,
        "folding_permille": 1000 * folded / inner,
        "strict_folding_permille": 1000 * bad / cells,
        "min_det": least,
    }


def _cells(u: Tensor, own: slice, axis: int | None, along: int) -> Tensor | None:
    """The part of u whose cells begin in a part: its voxels, and the layer that ends the last."""
    if axis is not None and along == axis:
        return u
    place = 2 + [a for a in range(3) if a != axis].index(along)
    length = min(own.stop + 1, u.shape[place]) - own.start
    return u.narrow(place, own.start, length) if length > 1 else None


def _inside(shape: Sequence[int], axis: int | None, along: int, part: slice) -> tuple[slice, ...]:
    """Index of a part's voxels off the border; an axis of two voxels has no inside."""
    index = [slice(None) if a == axis or n <= 2 else slice(1, -1) for a, n in enumerate(shape)]
    if along != axis and shape[along] > 2:
        first, last = max(part.start, 1), min(part.stop, shape[along] - 1)
        index[along] = slice(first - part.start, max(last - part.start, 0))
    return tuple(index)
