"""Loops that find where positions lie in an array.

A position is described by its cell's lowest corner (index into the flat array), its share of the
way along each axis, 0 to 1, and a weight, 0 where the array's values do not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels

__all__ = ["BORDER", "CELLS", "FADE", "INSIDE", "place_2d", "place_3d", "place_field"]

#: Beyond the array: its border continues, its values fade to zero over one voxel (along an axis of
#: one voxel they continue), or they end half a voxel beyond the centres, the far edge excluded.
BORDER, FADE, INSIDE = 0, 1, 2

#: Numba's types of ``low``, ``share`` and ``weight``.
CELLS = "int64[::1], float64[:, ::1], float64[::1]"

_FLOATS = ("float32", "float64")
_PLACE = {
    n: f"void({{t}}[:, :], boolean, {shape}, int64, {shape}, int64, boolean, {CELLS})"
    for n, shape in ((2, "UniTuple(int64, 2)"), (3, "UniTuple(int64, 3)"))
}
_PLACE_FIELD = (
    f"void({{t}}[:, ::1], float64[:, ::1], int64, UniTuple(int64, 3), int64, boolean, {CELLS})"
)


@helper
def _weight(p: float, n: int, rule: int, nearest: bool) -> float:
    """Weight of the array's values at a position along an axis of n voxels."""
    if rule == INSIDE:
        return 1.0 if -0.5 <= p < n - 0.5 else 0.0
    if rule == FADE and n > 1:
        p = np.rint(p) if nearest else p
        before, after = -p, p - (n - 1)
        away = before if before > after else after
        return 1.0 if away <= 0.0 else (1.0 - away if away < 1.0 else 0.0)
    return 1.0


@helper
def _held(p: float, n: int, nearest: bool) -> float:
    """A position moved to the array, and to a voxel; no number (NaN) to the first voxel."""
    p = p if p > 0.0 else 0.0
    p = p if p < n - 1.0 else n - 1.0
    return np.rint(p) if nearest else p


@helper
def _lowest(p: float, n: int) -> int:
    """The cell of a position: 0 to n - 2, or 0 on an axis of one voxel."""
    a = int(p)
    a = a if a < n - 2 else n - 2
    return a if a > 0 else 0


@kernels(_PLACE[2], *_FLOATS)
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
        x, y = np.float64(at[0, n]), np.float64(at[1, n])
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


@kernels(_PLACE[3], *_FLOATS)
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
        x, y, z = np.float64(at[0, n]), np.float64(at[1, n]), np.float64(at[2, n])
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


@kernels(_PLACE_FIELD, *_FLOATS)
def place_field(
    field: NDArray[Any],
    to_voxels: NDArray[Any],
    still: int,
    shape: tuple[int, int, int],
    start: int,
    nearest: bool,
    low: NDArray[Any],
    share: NDArray[Any],
    weight: NDArray[Any],
) -> None:
    """Where a field of millimetres takes the voxels of its own grid, by the rule ``INSIDE``.

    Args:
        field: (n, 3), mm.
        to_voxels: (3, 3): voxels from mm.
        still: axis along which nothing moves, or -1.
        shape: of the grid.
        start: the first voxel of ``field`` in the flat grid; the others as for ``place_2d``.
        nearest: whether positions are rounded to voxels.
        low: (n,), written.
        share: (n, 3), written; 0 along a still axis.
        weight: (n,), written.
    """
    i, rest = start // (shape[1] * shape[2]), start % (shape[1] * shape[2])
    j, k = rest // shape[2], rest % shape[2]
    m = to_voxels
    for n in range(low.size):
        u, v, w = np.float64(field[n, 0]), np.float64(field[n, 1]), np.float64(field[n, 2])
        x = i if still == 0 else i + (u * m[0, 0] + v * m[0, 1] + w * m[0, 2])
        y = j if still == 1 else j + (u * m[1, 0] + v * m[1, 1] + w * m[1, 2])
        z = k if still == 2 else k + (u * m[2, 0] + v * m[2, 1] + w * m[2, 2])
        at_x = _weight(x, shape[0], INSIDE, nearest)
        at_y = _weight(y, shape[1], INSIDE, nearest)
        weight[n] = at_x * at_y * _weight(z, shape[2], INSIDE, nearest)
        x, y = _held(x, shape[0], nearest), _held(y, shape[1], nearest)
        z = _held(z, shape[2], nearest)
        a = i if still == 0 else _lowest(x, shape[0])
        b = j if still == 1 else _lowest(y, shape[1])
        c = k if still == 2 else _lowest(z, shape[2])
        low[n] = (a * shape[1] + b) * shape[2] + c
        share[n, 0], share[n, 1], share[n, 2] = x - a, y - b, z - c
        k += 1
        if k == shape[2]:
            j, k = j + 1, 0
            if j == shape[1]:
                i, j = i + 1, 0
