"""Loops of values and labels in cells that ``place_loops`` found."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernels
from src_core.fields.kernels.place_loops import CELLS

__all__ = ["linear_2d", "linear_3d", "vote_2d", "vote_3d"]

_FLOATS = ("float32", "float64")
_SMALL = {"uint8": "float32", "int16": "float32", "uint16": "float32"}
_LINEAR = {
    n: f"void({{t}}[::1], {CELLS}, UniTuple(int64, {n}), float64, boolean, {{o}}[::1])"
    for n in (2, 3)
}
_VOTE = {n: f"void({{t}}[::1], {CELLS}, UniTuple(int64, {n}), int32[::1])" for n in (2, 3)}


@kernels(_LINEAR[2], *_FLOATS)
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


@kernels(_LINEAR[3], *_FLOATS, **_SMALL)
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


@kernels(_VOTE[2], "int32")
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


@kernels(_VOTE[3], "int32", "uint8", "int16", "uint16")
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
