"""Loops of the inverse: points p with ``p + u(p) = y``, u multilinear on cells, float64.

Points are in voxels of the image, past whose borders u continues; in the plane the first of three
coordinates stays as it is. n is the image's shape, o its voxel at which the array u begins.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernels
from src_core.fields.kernels.node_loops import FIELDS

__all__ = ["from_nodes", "until_found"]

_SMALLEST_DET = 1e-6

_Triple = tuple[int, int, int]
_How = tuple[int, float, bool]
_FIELD = "{t}, UniTuple(int64, 3), UniTuple(int64, 3)"
_NODES = "UniTuple(int64, 3), float32[:, :, ::1], int32[:, :, :, ::1]"
_FOUND = "float64[:, :, :, ::1], float64[:, :, ::1]"
_HOW = "Tuple((int64, float64, boolean))"
_TRIPLE = "UniTuple(int64, 3)"


@helper
def _ends(p: float, n: int, o: int, size: int) -> tuple[int, int, float, bool]:
    """The voxels beside a coordinate, counted in the array, the share of the way, whether left."""
    low = math.floor(p)
    near = int(low) - o
    if 0 <= near < size - 1:
        return near, near + 1, p - low, False
    near, far = min(max(int(low), 0), n - 1) - o, min(max(int(low) + 1, 0), n - 1) - o
    left = near < 0 or far >= size
    return min(max(near, 0), size - 1), min(max(far, 0), size - 1), p - low, left


@helper
def _slopes(
    u: Any, c: int, a: int, aa: int, b: int, bb: int, d: int, dd: int, s: float, t: float, r: float
) -> tuple[float, float, float, float]:
    """Value and derivatives of a component in the cell between voxels a and aa, b and bb, ..."""
    x000, x001, x010, x011 = u[c, a, b, d], u[c, a, b, dd], u[c, a, bb, d], u[c, a, bb, dd]
    x100, x101, x110, x111 = u[c, aa, b, d], u[c, aa, b, dd], u[c, aa, bb, d], u[c, aa, bb, dd]
    r00, r01, r10, r11 = x001 - x000, x011 - x010, x101 - x100, x111 - x110
    y00, y01, y10, y11 = x000 + r * r00, x010 + r * r01, x100 + r * r10, x110 + r * r11
    t0, t1 = y01 - y00, y11 - y10
    z0, z1 = y00 + t * t0, y10 + t * t1
    r0, r1 = r00 + t * (r01 - r00), r10 + t * (r11 - r10)
    return z0 + s * (z1 - z0), z1 - z0, t0 + s * (t1 - t0), r0 + s * (r1 - r0)


@helper
def _slopes_in_plane(
    u: Any, c: int, b: int, bb: int, d: int, dd: int, t: float, r: float
) -> tuple[float, float, float]:
    x00, x01, x10, x11 = u[c, b, d], u[c, b, dd], u[c, bb, d], u[c, bb, dd]
    r0, r1 = x01 - x00, x11 - x10
    z0, z1 = x00 + r * r0, x10 + r * r1
    return z0 + t * (z1 - z0), z1 - z0, r0 + t * (r1 - r0)


@helper
def _map(u: Any, n: _Triple, o: _Triple, p: Any) -> tuple[bool, Any, Any]:
    """Whether a point left the array; phi there; its Jacobian, row by row."""
    b, bb, t, left_t = _ends(p[1], n[1], o[1], u.shape[-2])
    d, dd, r, left_r = _ends(p[2], n[2], o[2], u.shape[-1])
    if u.ndim == 3:
        v1, t1, r1 = _slopes_in_plane(u, 0, b, bb, d, dd, t, r)
        v2, t2, r2 = _slopes_in_plane(u, 1, b, bb, d, dd, t, r)
        at = (p[0], v1 + p[1], v2 + p[2])
        return left_t or left_r, at, (1.0, 0.0, 0.0, 0.0, t1 + 1, r1, 0.0, t2, r2 + 1)
    a, aa, s, left_s = _ends(p[0], n[0], o[0], u.shape[1])
    v0, s0, t0, r0 = _slopes(u, 0, a, aa, b, bb, d, dd, s, t, r)
    v1, s1, t1, r1 = _slopes(u, 1, a, aa, b, bb, d, dd, s, t, r)
    v2, s2, t2, r2 = _slopes(u, 2, a, aa, b, bb, d, dd, s, t, r)
    at = (v0 + p[0], v1 + p[1], v2 + p[2])
    rows = (s0 + 1, t0, r0, s1, t1 + 1, r1, s2, t2, r2 + 1)
    return left_s or left_t or left_r, at, rows


@helper
def _solved(m: Any, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Cramer's rule, kept finite where a fold makes the matrix singular."""
    a, b, c, d, e, f, g, h, i = m
    ei, fg, dh = e * i - f * h, f * g - d * i, d * h - e * g
    det = a * ei + b * fg + c * dh
    if abs(det) < _SMALLEST_DET:
        det = _SMALLEST_DET
    one = 1 / det
    return (
        (ei * x + (c * h - b * i) * y + (b * f - c * e) * z) * one,
        (fg * x + (a * i - c * g) * y + (c * d - a * f) * z) * one,
        (dh * x + (b * g - a * h) * y + (a * e - b * d) * z) * one,
    )


@helper
def _kept(y: float, p: float, single: bool) -> float:
    """A coordinate whose distance from the target is a number of the type that is stored."""
    return y + (np.float64(np.float32(p - y)) if single else p - y)


@helper
def _newton(u: Any, n: _Triple, o: _Triple, y: Any, p: Any, how: _How) -> tuple[bool, Any, float]:
    """Whether a point left the array, the best point met (steps are halved), and its error."""
    (iterations, tolerance, single), best, scale = how, np.inf, 1.0
    point, step, trial, left = p, (0.0, 0.0, 0.0), p, False
    for _ in range(iterations + 1):
        trial = (
            _kept(y[0], trial[0], single),
            _kept(y[1], trial[1], single),
            _kept(y[2], trial[2], single),
        )
        left, at, rows = _map(u, n, o, trial)
        x0, x1, x2 = y[0] - at[0], y[1] - at[1], y[2] - at[2]
        error = math.sqrt(x0 * x0 + x1 * x1 + x2 * x2)
        if left:
            break
        if error < best:
            point, best, scale = trial, error, 1.0
            if error <= tolerance:
                break
            step = _solved(rows, x0, x1, x2)
        else:
            scale = scale / 2
        trial = (
            point[0] + scale * step[0],
            point[1] + scale * step[1],
            point[2] + scale * step[2],
        )
    return left, point, best


@helper
def _distance(u: Any, n: _Triple, o: _Triple, y: Any, p: Any) -> tuple[bool, float]:
    """Whether a point left the array, and how far phi of it is from y."""
    b, bb, t, left_t = _ends(p[1], n[1], o[1], u.shape[-2])
    d, dd, r, left_r = _ends(p[2], n[2], o[2], u.shape[-1])
    left, x0, x1, x2 = left_t or left_r, p[0] - y[0], p[1] - y[1], p[2] - y[2]
    if u.ndim == 3:
        x1 += _slopes_in_plane(u, 0, b, bb, d, dd, t, r)[0]
        x2 += _slopes_in_plane(u, 1, b, bb, d, dd, t, r)[0]
    else:
        a, aa, s, left_s = _ends(p[0], n[0], o[0], u.shape[1])
        left = left or left_s
        x0 += _slopes(u, 0, a, aa, b, bb, d, dd, s, t, r)[0]
        x1 += _slopes(u, 1, a, aa, b, bb, d, dd, s, t, r)[0]
        x2 += _slopes(u, 2, a, aa, b, bb, d, dd, s, t, r)[0]
    return left, math.sqrt(x0 * x0 + x1 * x1 + x2 * x2)


@helper
def _beside(u: Any, n: _Triple, o: _Triple, x: Any) -> tuple[bool, Any, Any]:
    """``_map`` at a voxel of the extended image, by the differences ahead of it."""
    b, bb, _, left_t = _ends(float(x[1]), n[1], o[1], u.shape[-2])
    d, dd, _, left_r = _ends(float(x[2]), n[2], o[2], u.shape[-1])
    if u.ndim == 3:
        v1, v2 = u[0, b, d], u[1, b, d]
        t1, t2 = u[0, bb, d] - v1, u[1, bb, d] - v2
        r1, r2 = u[0, b, dd] - v1, u[1, b, dd] - v2
        at = (float(x[0]), v1 + x[1], v2 + x[2])
        return left_t or left_r, at, (1.0, 0.0, 0.0, 0.0, t1 + 1, r1, 0.0, t2, r2 + 1)
    a, aa, _, left_s = _ends(float(x[0]), n[0], o[0], u.shape[1])
    v0, v1, v2 = u[0, a, b, d], u[1, a, b, d], u[2, a, b, d]
    s0, s1, s2 = u[0, aa, b, d] - v0, u[1, aa, b, d] - v1, u[2, aa, b, d] - v2
    t0, t1, t2 = u[0, a, bb, d] - v0, u[1, a, bb, d] - v1, u[2, a, bb, d] - v2
    r0, r1, r2 = u[0, a, b, dd] - v0, u[1, a, b, dd] - v1, u[2, a, b, dd] - v2
    rows = (s0 + 1, t0, r0, s1, t1 + 1, r1, s2, t2, r2 + 1)
    return left_s or left_t or left_r, (v0 + x[0], v1 + x[1], v2 + x[2]), rows


@helper
def _two_steps(
    u: Any, n: _Triple, o: _Triple, y: Any, x: Any, single: bool
) -> tuple[bool, Any, float]:
    """Two steps of Newton's method from a voxel, which nearly always suffice."""
    left, at, rows = _beside(u, n, o, x)
    step = _solved(rows, y[0] - at[0], y[1] - at[1], y[2] - at[2])
    p = (x[0] + step[0], x[1] + step[1], x[2] + step[2])
    gone, at, rows = _map(u, n, o, p)
    step = _solved(rows, y[0] - at[0], y[1] - at[1], y[2] - at[2])
    p0, p1 = _kept(y[0], p[0] + step[0], single), _kept(y[1], p[1] + step[1], single)
    p = (p0, p1, _kept(y[2], p[2] + step[2], single))
    away, error = _distance(u, n, o, y, p)
    return left or gone or away, p, error


@helper
def _inside(p: Any, n: _Triple, tolerance: float) -> bool:
    first = (-p[0] <= tolerance) & (p[0] - n[0] + 1 <= tolerance)
    second = (-p[1] <= tolerance) & (p[1] - n[1] + 1 <= tolerance)
    return first & second & (-p[2] <= tolerance) & (p[2] - n[2] + 1 <= tolerance)


@helper
def _from_neighbours(
    u: Any, n: _Triple, o: _Triple, y: Any, h: _Triple, near: Any, node: Any, how: _How
) -> tuple[bool, Any, float]:
    """Newton's method from the voxel of a target, then from those of its 26 neighbours."""
    point, error, left = y, np.inf, False
    for number in range(-1, 27):
        a, b, d = h
        if number >= 0:
            a, b, d = a + number // 9 - 1, b + number // 3 % 3 - 1, d + number % 3 - 1
            size = near.shape
            within = 0 <= a < size[0] and 0 <= b < size[1] and 0 <= d < size[2]
            if not within or near[a, b, d] == np.inf:
                continue
        x = (float(node[a, b, d, 0]), float(node[a, b, d, 1]), float(node[a, b, d, 2]))
        gone, p, far = _newton(u, n, o, y, x, how)
        left = left or gone
        if far < error:
            point, error = p, far
        if error <= how[1]:
            break
    return left, point, error


@kernels(f"void({_FIELD}, {_NODES}, {_TRIPLE}, int64, int64, boolean, {_FOUND})", *FIELDS.values())
def from_nodes(
    u: NDArray[np.float64],
    n: _Triple,
    o: _Triple,
    begin: _Triple,
    near: NDArray[np.float32],
    node: NDArray[np.int32],
    first: _Triple,
    start: int,
    stop: int,
    single: bool,
    w: NDArray[np.float64],
    error: NDArray[np.float64],
) -> None:
    """Two steps of Newton's method for some rows of targets, each from the voxel mapped to it.

    Args:
        begin, near, node: as ``nodes`` left them.
        first: the first target of the results.
        start, stop, single: rows, and whether the result is stored as float32.
        w: (3, X, Y, Z), written: p - y.
        error: (X, Y, Z), written: how far phi(p) is from y; infinite where a point left u.
    """
    for row in range(start, stop):
        i, j = row // error.shape[1], row % error.shape[1]
        a, b, d = first[0] - begin[0] + i, first[1] - begin[1] + j, first[2] - begin[2]
        for k in range(error.shape[2]):
            at = node[a, b, d + k]
            x = (np.int64(at[0]), np.int64(at[1]), np.int64(at[2]))
            y = (float(first[0] + i), float(first[1] + j), float(first[2] + k))
            left, p, far = _two_steps(u, n, o, y, x, single)
            w[0, i, j, k], w[1, i, j, k], w[2, i, j, k] = p[0] - y[0], p[1] - y[1], p[2] - y[2]
            error[i, j, k] = np.inf if left else far


@kernels(
    f"void({_FIELD}, {_NODES}, {_TRIPLE}, int64, int64, {_HOW}, {_FOUND}, boolean[:, :, ::1], "
    "boolean[::1])",
    *FIELDS.values(),
)
def until_found(
    u: NDArray[np.float64],
    n: _Triple,
    o: _Triple,
    begin: _Triple,
    near: NDArray[np.float32],
    node: NDArray[np.int32],
    first: _Triple,
    start: int,
    stop: int,
    how: _How,
    w: NDArray[np.float64],
    error: NDArray[np.float64],
    inside: NDArray[np.bool_],
    left: NDArray[np.bool_],
) -> None:
    """Newton's method in full for the targets of some rows that two steps did not find.

    Args: those of ``from_nodes``, and
        how: evaluations a target may take, error in voxels at which it is left, and ``single``.
        inside: (X, Y, Z), written: whether p lies in the image.
        left: (1,), set where a point left u.
    """
    for row in range(start, stop):
        i, j = row // error.shape[1], row % error.shape[1]
        for k in range(error.shape[2]):
            y = (float(first[0] + i), float(first[1] + j), float(first[2] + k))
            if not error[i, j, k] <= how[1]:
                h = (first[0] - begin[0] + i, first[1] - begin[1] + j, first[2] - begin[2] + k)
                gone, p, far = _from_neighbours(u, n, o, y, h, near, node, how)
                left[0] = left[0] or gone
                w[0, i, j, k], w[1, i, j, k], w[2, i, j, k] = p[0] - y[0], p[1] - y[1], p[2] - y[2]
                error[i, j, k] = far
            p = (y[0] + w[0, i, j, k], y[1] + w[1, i, j, k], y[2] + w[2, i, j, k])
            inside[i, j, k] = _inside(p, n, how[1])
