"""Where Newton's method starts from: the voxel that phi maps nearest to a target."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels

__all__ = ["FIELDS", "nodes"]

#: Numba's types of a field in the plane and in space, by its axes.
FIELDS = {2: "float64[:, :, ::1]", 3: "float64[:, :, :, ::1]"}

_TRIPLE = "UniTuple(int64, 3)"
_FACES = 6
#: From a voxel to its neighbours: those that share a face, an edge, a corner.
_OFFSETS = np.array(sorted(product((-1, 0, 1), repeat=3), key=lambda one: np.abs(one).sum())[1:])


@helper
def _held(i: int, n: int) -> int:
    """The voxel of an axis of n voxels that is nearest to another."""
    i = i if i > 0 else 0
    return i if i < n else n - 1


@helper
def _neighbour(near: Any, a: int, b: int, d: int) -> tuple[int, int, int]:
    """The likeliest of a target's neighbours, or itself if no voxel is mapped near to any."""
    least, found = np.inf, (a, b, d)
    for number in range(26):
        if number == _FACES and least < 2:  # none of the others is likelier than that
            break
        i, j, k = a + _OFFSETS[number, 0], b + _OFFSETS[number, 1], d + _OFFSETS[number, 2]
        if 0 <= i < near.shape[0] and 0 <= j < near.shape[1] and 0 <= k < near.shape[2]:
            away = near[i, j, k] + abs(i - a) + abs(j - b) + abs(k - d)
            if away < least:
                least, found = away, (i, j, k)
    return found


@helper
def _image(u: Any, i: int, j: int, k: int, a: int, b: int, d: int) -> tuple[float, float, float]:
    """Where phi takes a voxel of the extended image, whose displacement is that of a, b and d."""
    if u.ndim == 3:
        return float(i), j + u[0, b, d], k + u[1, b, d]
    return i + u[0, a, b, d], j + u[1, a, b, d], k + u[2, a, b, d]


@kernels(
    f"void({{t}}, {_TRIPLE}, {_TRIPLE}, {_TRIPLE}, {_TRIPLE}, {_TRIPLE}, "
    "float32[:, :, ::1], int32[:, :, :, ::1])",
    *FIELDS.values(),
)
def nodes(
    u: NDArray[np.float64],
    n: tuple[int, int, int],
    o: tuple[int, int, int],
    first: tuple[int, int, int],
    last: tuple[int, int, int],
    begin: tuple[int, int, int],
    near: NDArray[np.float32],
    node: NDArray[np.int32],
) -> None:
    """For each target the voxel of the extended image that is mapped nearest to it.

    A target that none is mapped near to has the voxel of a neighbour, or else its own.

    Args:
        first, last: the voxels that are tried.
        begin: the first target of ``near`` and ``node``.
        near: (X, Y, Z), infinite, changed: squared distances; 1 is added outside the image.
        node: (X, Y, Z, 3), changed: the voxels.
    """
    for i in range(first[0], last[0]):
        a = _held(i, n[0]) - o[0]
        for j in range(first[1], last[1]):
            b = _held(j, n[1]) - o[1]
            for k in range(first[2], last[2]):
                d = _held(k, n[2]) - o[2]
                f0, f1, f2 = _image(u, i, j, k, a, b, d)
                z0, z1, z2 = math.floor(f0 + 0.5), math.floor(f1 + 0.5), math.floor(f2 + 0.5)
                x, y, z = z0 - begin[0], z1 - begin[1], z2 - begin[2]
                if not (0 <= x < near.shape[0] and 0 <= y < near.shape[1]):
                    continue
                if not 0 <= z < near.shape[2]:
                    continue
                f0, f1, f2 = f0 - z0, f1 - z1, f2 - z2
                far = f0 * f0 + f1 * f1 + f2 * f2
                if a + o[0] != i or b + o[1] != j or d + o[2] != k:
                    far += 1.0
                if np.float32(far) < near[x, y, z]:
                    near[x, y, z] = far
                    node[x, y, z, 0] = i
                    node[x, y, z, 1] = j
                    node[x, y, z, 2] = k
    for a in range(near.shape[0]):
        for b in range(near.shape[1]):
            for d in range(near.shape[2]):
                if near[a, b, d] == np.inf:
                    i, j, k = _neighbour(near, a, b, d)
                    found = near[i, j, k] < np.inf
                    node[a, b, d, 0] = node[i, j, k, 0] if found else begin[0] + a
                    node[a, b, d, 1] = node[i, j, k, 1] if found else begin[1] + b
                    node[a, b, d, 2] = node[i, j, k, 2] if found else begin[2] + d
