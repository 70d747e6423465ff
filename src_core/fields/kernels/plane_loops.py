"""Loops of one slice moved by a displacement, values or labels, each voxel in one pass.

Outside the slice, half a voxel beyond its centres, values are given and labels are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel, kernels

__all__ = ["values_of_plane", "votes_of_plane"]

_FIELD = "float32[:, :, ::1]"


@helper
def _is_in(p: float, n: int) -> bool:
    return -0.5 <= p < n - 0.5


@helper
def _cell(p: float, n: int) -> tuple[Any, float]:
    """The voxel below a position inside an axis of n voxels, n - 2 at most, and the share."""
    top, last = n - 1.0, np.int32(max(n - 2, 0))
    p = p if p > 0.0 else 0.0
    p = p if p < top else top
    a = np.int32(p)
    a = a if a < last else last
    return a, p - a


@kernel(f"void({_FIELD}, {_FIELD}, float64[::1], {_FIELD}, int64, int64)")
def values_of_plane(
    images: NDArray[Any],
    u: NDArray[Any],
    outside: NDArray[Any],
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Linear values of some rows.

    Args:
        images: (C, A, B).
        u: (2, X, Y), voxels; the output's first voxel lies on the images'.
        outside: (C,), values outside.
        out: (C, X, Y), written in its rows ``start`` to ``stop``.
        start: row.
        stop: row after the last.
    """
    rows, columns, width = images.shape[1], images.shape[2], u.shape[2]
    flat, cells = images.reshape(len(images), rows * columns), np.empty(width, np.int32)
    s, t, within = np.empty(width), np.empty(width), np.empty(width, np.bool_)
    up, on = np.uint64(columns if rows > 1 else 0), np.uint64(1 if columns > 1 else 0)
    for i in range(start, stop):  # cells before values, so that several are found at once
        for j in range(width):
            x = float(np.float32(i) + u[0, i, j])
            y = float(np.float32(j) + u[1, i, j])
            within[j] = _is_in(x, rows) & _is_in(y, columns)
            a, s[j] = _cell(x, rows)
            b, t[j] = _cell(y, columns)
            cells[j] = a * np.int32(columns) + b
        for c in range(len(images)):
            values, written, other = flat[c], out[c, i], outside[c]
            for j in range(width):
                k, share, rest = np.uint64(cells[j]), s[j], t[j]
                low = values[k] * (1.0 - rest) + values[k + on] * rest
                high = values[k + up] * (1.0 - rest) + values[k + up + on] * rest
                value = low * (1.0 - share) + high * share
                written[j] = value if within[j] else other


@helper
def _vote(a: Any, b: Any, c: Any, d: Any, s: float, t: float) -> Any:
    """The label of four corners with the largest linear weight, the smallest on a tie."""
    o, p = 1.0 - s, 1.0 - t
    w, x, y, z = o * p, o * t, s * p, s * t
    first = w + (x if b == a else 0.0) + (y if c == a else 0.0) + (z if d == a else 0.0)
    second = (w if a == b else 0.0) + x + (y if c == b else 0.0) + (z if d == b else 0.0)
    third = (w if a == c else 0.0) + (x if b == c else 0.0) + y + (z if d == c else 0.0)
    last = (w if a == d else 0.0) + (x if b == d else 0.0) + (y if c == d else 0.0) + z
    best, most = a, first
    if second > most or (second == most and b < best):
        best, most = b, second
    if third > most or (third == most and c < best):
        best, most = c, third
    return d if last > most or (last == most and d < best) else best


@kernels(
    f"void({{t}}[:, ::1], int64, {_FIELD}, int32[::1], float64[:, ::1], {{t}}[:, :, ::1], "
    "int64, int64)",
    "int16",
    "int32",
)
def votes_of_plane(
    labels: NDArray[Any],
    columns: int,
    u: NDArray[Any],
    cells: NDArray[np.int32],
    shares: NDArray[np.float64],
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Labels with the largest linear weight of some rows, 0 outside.

    Args:
        labels: (C, A B), flat.
        columns: B.
        u: (2, X, Y), voxels; the output's first voxel lies on the labels'.
        cells: (Y,), working space.
        shares: (2, Y), working space.
        out: (C, X, Y), written in its rows ``start`` to ``stop``.
        start: row.
        stop: row after the last.
    """
    rows = labels.shape[1] // columns
    up, on = np.uint64(columns if rows > 1 else 0), np.uint64(1 if columns > 1 else 0)
    for i in range(start, stop):  # cells before labels, so that several are found at once
        for j in range(u.shape[2]):
            x = float(np.float32(i) + u[0, i, j])
            y = float(np.float32(j) + u[1, i, j])
            a, s = _cell(x, rows)
            b, t = _cell(y, columns)
            shares[0, j], shares[1, j] = s, t
            within = _is_in(x, rows) & _is_in(y, columns)
            cells[j] = np.int32(a * np.int32(columns) + b) if within else np.int32(-1)
        for c in range(labels.shape[0]):
            for j in range(u.shape[2]):
                if cells[j] < 0:
                    out[c, i, j] = 0
                    continue
                k = np.uint64(cells[j])
                v00, v01 = labels[c, k], labels[c, k + on]
                v10, v11 = labels[c, k + up], labels[c, k + up + on]
                if (v00 == v01) & (v00 == v10) & (v00 == v11):
                    out[c, i, j] = v00
                else:
                    out[c, i, j] = _vote(v00, v01, v10, v11, shares[0, j], shares[1, j])
