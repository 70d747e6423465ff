"""Loops of linear sampling: where positions lie (``place``), then values and labels there.

A position is described by its cell's lowest corner (index into the flat array), its share of the
way along each axis, 0 to 1, and a weight, 0 where the array's values do not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel

__all__ = [
    "BORDER",
    "FADE",
    "INSIDE",
    "linear_2d",
    "linear_3d",
    "place_2d",
    "place_3d",
    "vote_2d",
    "vote_3d",
]

#: Beyond the array: its border continues, its values fade to zero over one voxel (along an axis of
#: one voxel they continue), or they end half a voxel beyond the centres, the far edge excluded.
BORDER, FADE, INSIDE = 0, 1, 2

_PLACE = (
    "void({0}[:, :], boolean, UniTuple(int64, {1}), int64, UniTuple(int64, {1}), int64, boolean, "
    "int64[::1], float64[:, ::1], float64[::1])"
)
_LINEAR = (
    "void({0}[::1], int64[::1], float64[:, ::1], float64[::1], UniTuple(int64, {1}), float64, "
    "boolean, {0}[::1])"
)
_VOTE = (
    "void(int32[::1], int64[::1], float64[:, ::1], float64[::1], UniTuple(int64, {0}), int32[::1])"
)


@helper
def _weight(p: float, n: int, rule: int, nearest: bool) -> float:
    """Weight of the array's values at a position along an axis of n voxels."""
    if rule == INSIDE:
        return 1.0 if -0.5 <= p < n - 0.5 else 0.0
    if rule == FADE and n > 1:
        p = np.rint(p) if nearest else p
        away = max(-p, p - (n - 1))
        return 1.0 if away <= 0.0 else (1.0 - away if away < 1.0 else 0.0)
    return 1.0


@helper
def _held(p: float, n: int, nearest: bool) -> float:
    """A position moved to the array, and to a voxel; no number (NaN) to the first voxel."""
    p = min(p, n - 1.0) if p > 0.0 else 0.0
    return np.rint(p) if nearest else p


@helper
def _lowest(p: float, n: int) -> int:
    """The cell of a position: 0 to n - 2, or 0 on an axis of one voxel."""
    return max(min(int(p), n - 2), 0)


@kernel(_PLACE.format("float32", 2), _PLACE.format("float64", 2))
def place_2d(
    at: NDArray[Any],
    moved: bool,
    grid: tuple[int, int],
    start: int,
    shape: tuple[int, int],
    rule: int,
    nearest: bool,
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
) -> None:
    """Where positions lie in an array.

    Args:
        at: (2, n), voxels: positions, or displacements of the voxels of ``grid``.
        moved: whether they are displacements.
        grid: shape of the whole output.
        start: the first voxel of ``at`` in the flat output.
        shape: of the array.
        rule: ``BORDER``, ``FADE`` or ``INSIDE``.
        nearest: whether positions are rounded to voxels.
        low: (n,), written: lowest corner of each cell, flat.
        share: (n, 2), written.
        weight: (n,), written.
    """
    i, j = start // grid[1], start % grid[1]
    for n in range(low.size):
        x, y = float(at[0, n]), float(at[1, n])
        if moved:
            x, y = x + i, y + j
        at_x, at_y = _weight(x, shape[0], rule, nearest), _weight(y, shape[1], rule, nearest)
        weight[n] = at_x * at_y
        x, y = _held(x, shape[0], nearest), _held(y, shape[1], nearest)
        a, b = _lowest(x, shape[0]), _lowest(y, shape[1])
        low[n] = a * shape[1] + b
        share[n, 0], share[n, 1] = x - a, y - b
        j += 1
        if j == grid[1]:
            i, j = i + 1, 0


@kernel(_PLACE.format("float32", 3), _PLACE.format("float64", 3))
def place_3d(
    at: NDArray[Any],
    moved: bool,
    grid: tuple[int, int, int],
    start: int,
    shape: tuple[int, int, int],
    rule: int,
    nearest: bool,
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
) -> None:
    """Like ``place_2d``, in 3D."""
    i, rest = start // (grid[1] * grid[2]), start % (grid[1] * grid[2])
    j, k = rest // grid[2], rest % grid[2]
    for n in range(low.size):
        x, y, z = float(at[0, n]), float(at[1, n]), float(at[2, n])
        if moved:
            x, y, z = x + i, y + j, z + k
        at_x, at_y = _weight(x, shape[0], rule, nearest), _weight(y, shape[1], rule, nearest)
        weight[n] = at_x * at_y * _weight(z, shape[2], rule, nearest)
        x, y = _held(x, shape[0], nearest), _held(y, shape[1], nearest)
        z = _held(z, shape[2], nearest)
        a, b, c = _lowest(x, shape[0]), _lowest(y, shape[1]), _lowest(z, shape[2])
        low[n] = (a * shape[1] + b) * shape[2] + c
        share[n, 0], share[n, 1], share[n, 2] = x - a, y - b, z - c
        k += 1
        if k == grid[2]:
            j, k = j + 1, 0
            if j == grid[1]:
                i, j = i + 1, 0


@kernel(_LINEAR.format("float32", 2), _LINEAR.format("float64", 2))
def linear_2d(
    values: NDArray[Any],
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
    step: tuple[int, int],
    outside: float,
    whole: bool,
    out: NDArray[Any],
) -> None:
    """Linear values in cells.

    Args:
        values: flat array.
        low: (n,), with ``share`` and ``weight`` as ``place_2d`` writes them.
        share: (n, 2).
        weight: (n,).
        step: distance of a cell's corners along each axis in the flat array, 0 for one voxel.
        outside: the value of what has no weight.
        whole: whether values are rounded to whole numbers.
        out: (n,), written.
    """
    s, t = step
    for n in range(low.size):
        a, x, y = low[n], share[n, 0], share[n, 1]
        low_side = values[a] * (1.0 - y) + values[a + t] * y
        high_side = values[a + s] * (1.0 - y) + values[a + s + t] * y
        value = low_side * (1.0 - x) + high_side * x
        value = value * weight[n] + outside * (1.0 - weight[n])
        out[n] = np.rint(value) if whole else value


@kernel(_LINEAR.format("float32", 3), _LINEAR.format("float64", 3))
def linear_3d(
    values: NDArray[Any],
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
    step: tuple[int, int, int],
    outside: float,
    whole: bool,
    out: NDArray[Any],
) -> None:
    """Like ``linear_2d``, in 3D."""
    s, t, u = step
    for n in range(low.size):
        a, x, y, z = low[n], share[n, 0], share[n, 1], share[n, 2]
        b = a + s
        v00 = values[a] * (1.0 - z) + values[a + u] * z
        v01 = values[a + t] * (1.0 - z) + values[a + t + u] * z
        v10 = values[b] * (1.0 - z) + values[b + u] * z
        v11 = values[b + t] * (1.0 - z) + values[b + t + u] * z
        low_side = v00 * (1.0 - y) + v01 * y
        high_side = v10 * (1.0 - y) + v11 * y
        value = low_side * (1.0 - x) + high_side * x
        value = value * weight[n] + outside * (1.0 - weight[n])
        out[n] = np.rint(value) if whole else value


@kernel(_VOTE.format(2))
def vote_2d(
    labels: NDArray[Any],
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
    step: tuple[int, int],
    out: NDArray[Any],
) -> None:
    """The label with the largest linear weight in each cell, the smallest on a tie, 0 outside.

    Args:
        labels: flat array; the others as for ``linear_2d``.
        low: (n,).
        share: (n, 2).
        weight: (n,).
        step: as for ``linear_2d``.
        out: (n,), written.
    """
    s, t = step
    for n in range(low.size):
        a = low[n]
        corners = labels[a], labels[a + t], labels[a + s], labels[a + s + t]
        best = corners[0]
        if corners[1] != best or corners[2] != best or corners[3] != best:
            x, y = share[n, 0], share[n, 1]
            weights = (1.0 - x) * (1.0 - y), (1.0 - x) * y, x * (1.0 - y), x * y
            most = -1.0
            for i in range(4):
                total = 0.0
                for j in range(4):
                    total += weights[j] if corners[j] == corners[i] else 0.0
                if total > most or (total == most and corners[i] < best):
                    best, most = corners[i], total
        out[n] = best if weight[n] > 0.0 else 0


@kernel(_VOTE.format(3))
def vote_3d(
    labels: NDArray[Any],
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
    step: tuple[int, int, int],
    out: NDArray[Any],
) -> None:
    """Like ``vote_2d``, in 3D."""
    s, t, u = step
    for n in range(low.size):
        a = low[n]
        b = a + s
        corners = (
            labels[a],
            labels[a + u],
            labels[a + t],
            labels[a + t + u],
            labels[b],
            labels[b + u],
            labels[b + t],
            labels[b + t + u],
        )
        best = corners[0]
        same = True
        for i in range(1, 8):
            same = same and corners[i] == best
        if not same:
            x, y, z = share[n, 0], share[n, 1], share[n, 2]
            q00, q01, q10, q11 = (1.0 - y) * (1.0 - z), (1.0 - y) * z, y * (1.0 - z), y * z
            o = 1.0 - x
            weights = o * q00, o * q01, o * q10, o * q11, x * q00, x * q01, x * q10, x * q11
            most = -1.0
            for i in range(8):
                total = 0.0
                for j in range(8):
                    total += weights[j] if corners[j] == corners[i] else 0.0
                if total > most or (total == most and corners[i] < best):
                    best, most = corners[i], total
        out[n] = best if weight[n] > 0.0 else 0
