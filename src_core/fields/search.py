"""The exhaustive search for preimages: every cell whose image may cover a voxel is a start.

Each voxel is first placed in the cell that most likely covers it; Newton's method then finds the
point. Where it does not, it starts from every other cell that may cover the voxel.
"""

from __future__ import annotations

import torch
from torch import Tensor

from src_core.fields.candidates import candidates, centres
from src_core.fields.extended import ExtendedField
from src_core.fields.newton import newton, residuals

__all__ = ["searched"]

_POINTS_AT_ONCE = 2**16


def searched(
    field: ExtendedField, wanted: Tensor, iterations: int, tolerance: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Preimages of some targets of a field.

    Args:
        wanted: (m,) int64, flat indices of the targets.
        iterations: evaluations a voxel may take from each start.
        tolerance: voxels; a voxel with a smaller error is left as it is.
        dtype: in which the displacement is stored.

    Returns:
        Displacement (D, m), error and whether the preimage lies in the image, (m,).
    """
    targets, window = field.places()[:, wanted], None if field.whole else field.window
    start = _start(field, wanted, targets)
    found, error = newton(field.u, start, targets, iterations, tolerance, window)
    if bool((error > tolerance).any()):
        found = _second_try(field, wanted, targets, found, error, iterations, tolerance)
    moved = (found - targets).to(dtype)
    at = targets + moved
    error = residuals(field.u, at, targets, window).to(dtype)
    place = at - field.margin
    last = torch.tensor(field.shape)[:, None] - 1
    return moved, error, ((place >= -tolerance) & (place <= last + tolerance)).all(dim=0)


def _start(field: ExtendedField, wanted: Tensor, targets: Tensor) -> Tensor:
    """Centres of the cells that cover the targets; the target itself if its cell is too far out."""
    cells = _covering(field, wanted).split(_POINTS_AT_ONCE)
    return torch.cat(
        [
            torch.where(cell < 0, some, centres(cell.clamp(min=0), field))
            for cell, some in zip(cells, targets.split(_POINTS_AT_ONCE, 1), strict=True)
        ],
        1,
    )


def _covering(field: ExtendedField, wanted: Tensor) -> Tensor:
    """For each target the cell that most likely covers it: flat lowest corners, (m,), or -1."""
    best = torch.full((len(wanted),), torch.inf, dtype=field.u.dtype)
    cell = torch.full(best.shape, -1, dtype=torch.int64)
    for target, candidate, rank in candidates(field, wanted):
        best.scatter_reduce_(0, target, rank, "amin")
        won = rank == best[target]
        cell.scatter_reduce_(0, target[won], candidate[won], "amax")
    return cell


def _second_try(
    field: ExtendedField,
    wanted: Tensor,
    targets: Tensor,
    found: Tensor,
    error: Tensor,
    iterations: int,
    tolerance: float,
) -> Tensor:
    """Start the targets missed from every cell that may cover them: one does, but folds mislead."""
    window = None if field.whole else field.window
    missed = (error > tolerance).nonzero()[:, 0]
    for one, cell, _ in candidates(field, wanted[missed]):
        target = missed[one]
        start = centres(cell, field)
        at, new = newton(field.u, start, targets[:, target], iterations, tolerance, window)
        best = error.scatter_reduce(0, target, new, "amin")
        won = ((new == best[target]) & (new < error[target])).nonzero()[:, 0]
        first = torch.full(error.shape, len(new)).scatter_reduce_(0, target[won], won, "amin")
        better = (first < len(new)).nonzero()[:, 0]
        found[:, better], error = at[:, first[better]], best
    return found
