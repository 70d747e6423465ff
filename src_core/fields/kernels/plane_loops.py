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
def _ends(p: float, n: int) -> tuple[Any, Any, float]:
    """Both voxels beside a position inside an axis of n voxels, and its share of the way."""
    p = min(p, n - 1.0) if p > 0.0 else 0.0
    a = max(min(int(p), n - 2), 0)
    return np.uint32(a), np.uint32(min(a + 1, n - 1)), p - a  # no index counts from the end


@helper
def _cell(p: float, n: int) -> tuple[Any, float]:
    """As ``_ends``: the first voxel, whose neighbour is the next one, and the share."""
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


@kernels(f"void({{t}}[:, :, ::1], {_FIELD}, {{t}}[:, :, ::1], int64, int64)", "int16", "int32")
def votes_of_plane(
    labels: NDArray[Any], u: NDArray[Any], out: NDArray[Any], start: int, stop: int
) -> None:
    """Labels with the largest linear weight, the smallest on a tie; as ``values_of_plane``."""
    for i in range(start, stop):
        for j in range(u.shape[2]):
            x = float(np.float32(i) + u[0, i, j])
            y = float(np.float32(j) + u[1, i, j])
            if not (_is_in(x, labels.shape[1]) and _is_in(y, labels.shape[2])):
                for c in range(labels.shape[0]):
                    out[c, i, j] = 0
                continue
            a, a1, s = _ends(x, labels.shape[1])
            b, b1, t = _ends(y, labels.shape[2])
            for c in range(labels.shape[0]):
                corners = labels[c, a, b], labels[c, a, b1], labels[c, a1, b], labels[c, a1, b1]
                best = corners[0]
                if corners[1] != best or corners[2] != best or corners[3] != best:
                    o, p = 1.0 - s, 1.0 - t
                    weights = o * p, o * t, s * p, s * t
                    most = -1.0
                    for k in range(4):
                        total = 0.0
                        for m in range(4):
                            total += weights[m] if corners[m] == corners[k] else 0.0
                        if total > most or (total == most and corners[k] < best):
                            best, most = corners[k], total
                out[c, i, j] = best
