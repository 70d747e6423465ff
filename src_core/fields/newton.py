"""Newton's method on ``p + u(p) = y``, u multilinear on each cell and continued past borders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from src_core.fields.cells import corners_of, determinant, flat_index, multilinear

__all__ = [
    "LeftWindowError",
    "MapAt",
    "Window",
    "evaluate",
    "length",
    "newton",
    "preimages",
    "residuals",
    "solve",
]

#: Points (D, n), voxels, to where a map takes them, (D, n), and its Jacobian's D columns, (D, n).
MapAt = Callable[[Tensor], tuple[Tensor, list[Tensor]]]

_SMALLEST_DET = 1e-6
_POINTS_AT_ONCE = 2**14


class LeftWindowError(Exception):
    """A point left the part of the field that is in memory."""


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a field, whose points are counted in the whole.

    Attributes:
        origin: (D, 1), the part's first voxel in the whole.
        shape: of the whole.
    """

    origin: Tensor
    shape: tuple[int, ...]

    def cells(self, lowest: Tensor, shape: Sequence[int]) -> Tensor:
        """Cells of the whole (D, n) in a part of a shape; or ``LeftWindowError``."""
        here = lowest - self.origin
        if bool((here < 0).any()) or bool((here > _column(shape, here) - 2).any()):
            raise LeftWindowError
        return here


def newton(
    u: Tensor,
    start: Tensor,
    targets: Tensor,
    iterations: int,
    tolerance: float,
    window: Window | None = None,
) -> tuple[Tensor, Tensor]:
    """Points p with p + u(p) = y, or the best met.

    A step that does not lessen the error is halved; a point within the tolerance is left.

    Args:
        u: (D, *spatial), float64, voxels.
        start: (D, n), voxels.
        targets: y, (D, n), voxels.
        iterations: evaluations a point may take.
        tolerance: voxels.
        window: where u is a part of a field, which part.

    Returns:
        Points (D, n), and |p + u(p) - y| of each, (n,).
    """
    return preimages(partial(evaluate, u, window=window), start, targets, iterations, tolerance)


def preimages(
    mapped: MapAt, start: Tensor, targets: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, Tensor]:
    """What ``newton`` gives, of any map."""
    parts = zip(start.split(_POINTS_AT_ONCE, 1), targets.split(_POINTS_AT_ONCE, 1), strict=True)
    done = [_newton(mapped, *part, iterations, tolerance) for part in parts]
    return torch.cat([at for at, _ in done], 1), torch.cat([error for _, error in done])


def _newton(
    mapped: MapAt, at: Tensor, goal: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, Tensor]:
    value, columns = mapped(at)
    error, step = length(goal - value), solve(columns, goal - value)
    found, left = at.clone(), error.clone()
    which, scale = torch.arange(at.shape[1]), torch.ones_like(error)
    for _ in range(iterations):
        trial = at + scale * step
        value, columns = mapped(trial)
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


def residuals(u: Tensor, at: Tensor, targets: Tensor, window: Window | None = None) -> Tensor:
    """How far off the targets (D, n) the map takes points (D, n): (n,), voxels."""
    parts = zip(at.split(_POINTS_AT_ONCE, 1), targets.split(_POINTS_AT_ONCE, 1), strict=True)
    return torch.cat([length(evaluate(u, some, window)[0] - goal) for some, goal in parts])


def evaluate(u: Tensor, at: Tensor, window: Window | None = None) -> tuple[Tensor, list[Tensor]]:
    """The map and its Jacobian at points; past the border, the last cell's form continues.

    Args:
        u: (D, *spatial), voxels.
        at: (D, n), voxels.

    Returns:
        phi(at), (D, n), and the D columns of the Jacobian, (D, n) each.
    """
    shape = u.shape[1:]
    most = _column(shape if window is None else window.shape, at) - 2
    lowest = at.floor().clamp(min=0).minimum(most)
    here = lowest if window is None else window.cells(lowest, shape)
    corners = corners_of(u, flat_index(here.long(), shape))
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


def _column(shape: Sequence[int], like: Tensor) -> Tensor:
    return torch.tensor(shape, dtype=like.dtype)[:, None]
