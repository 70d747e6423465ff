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
    for i in range(start, stop):
        for j in range(u.shape[2]):
            x = float(np.float32(i) + u[0, i, j])
            y = float(np.float32(j) + u[1, i, j])
            if not (_is_in(x, images.shape[1]) and _is_in(y, images.shape[2])):
                for c in range(images.shape[0]):
                    out[c, i, j] = outside[c]
                continue
            a, a1, s = _ends(x, images.shape[1])
            b, b1, t = _ends(y, images.shape[2])
            for c in range(images.shape[0]):
                low = images[c, a, b] * (1.0 - t) + images[c, a, b1] * t
                high = images[c, a1, b] * (1.0 - t) + images[c, a1, b1] * t
                out[c, i, j] = low * (1.0 - s) + high * s


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
