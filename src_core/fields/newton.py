"""Newton's method on ``p + u(p) = y``, u multilinear on each cell and continued past borders."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from src_core.fields.cells import corners_of, determinant, flat_index, multilinear

__all__ = ["evaluate", "length", "newton", "solve"]

_SMALLEST_DET = 1e-6
_POINTS_AT_ONCE = 2**14


def newton(
    u: Tensor, start: Tensor, targets: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Points p with p + u(p) = y, or the best met.

    A step that does not lessen the error is halved; a point within the tolerance is left.

    Args:
        u: (D, *spatial), float64, voxels.
        start: (D, n), voxels.
        targets: y, (D, n), voxels.
        iterations: evaluations a point may take.
        tolerance: voxels.

    Returns:
        Points (D, n), and |p + u(p) - y| of each, (n,).
    """
    parts = zip(start.split(_POINTS_AT_ONCE, 1), targets.split(_POINTS_AT_ONCE, 1), strict=True)
    done = [_newton(u, *part, iterations, tolerance) for part in parts]
    return torch.cat([at for at, _ in done], 1), torch.cat([error for _, error in done])


def _newton(
    u: Tensor, at: Tensor, goal: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, Tensor]:
    value, columns = evaluate(u, at)
    error, step = length(goal - value), solve(columns, goal - value)
    found, left = at.clone(), error.clone()
    which, scale = torch.arange(at.shape[1]), torch.ones_like(error)
    for _ in range(iterations):
        trial = at + scale * step
        value, columns = evaluate(u, trial)
        new = length(goal - value)
        better = new < error
        at, error = torch.where(better, trial, at), torch.where(better, new, error)
        step = torch.where(better, solve(columns, goal - value), step)
        scale = torch.where(better, 1.0, scale / 2)
        found[:, which], left[which] = at, error
        rest = (error > tolerance).nonzero()[:, 0]
        which, at, goal, step = which[rest], at[:, rest], goal[:, rest], step[:, rest]
        error, scale = error[rest], scale[rest]
        if not len(which):
            break
    return found, left


def evaluate(u: Tensor, at: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The map and its Jacobian at points; past the border the last cell's form goes on.

    Args:
        u: (D, *spatial), voxels.
        at: (D, n), voxels.

    Returns:
        phi(at), (D, n), and the D columns of the Jacobian, (D, n) each.
    """
    most = torch.tensor(u.shape[1:], dtype=at.dtype)[:, None] - 2
    lowest = at.floor().clamp(min=0).minimum(most)
    corners = corners_of(u, flat_index(lowest.long(), u.shape[1:]))
    value, columns = multilinear(corners, at - lowest)
    for axis, column in enumerate(columns):
        column[axis] += 1
    return value + at, columns


def solve(columns: Sequence[Tensor], right: Tensor) -> Tensor:
    """Cramer's rule, kept finite where a fold makes the matrix singular: (D, n)."""
    whole = determinant(columns)
    whole = torch.where(whole.abs() < _SMALLEST_DET, _SMALLEST_DET, whole)
    exchanged = [[*columns[:i], right, *columns[i + 1 :]] for i in range(len(columns))]
    return torch.stack([determinant(one) for one in exchanged]) / whole


def length(x: Tensor) -> Tensor:
    """Euclidean length over the first axis (several times faster there than ``vector_norm``)."""
    return x.square().sum(0).sqrt()
