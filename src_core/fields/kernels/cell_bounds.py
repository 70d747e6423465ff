"""Loops of the certificate: lower bounds of ``det(I + du/dx)`` on cells, in float64.

A cell's map is multilinear. In 2D its determinant is smallest at a corner; in 3D it is bounded by
its 27 Bernstein coefficients, and by a Lipschitz bound from the centre, which is cheaper.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel

__all__ = ["centre_bounds_3d", "coefficients_3d", "corner_bounds_2d"]


@kernel("void(float64[:, :, :], int64, int64, float64[:, ::1])")
def corner_bounds_2d(
    u: NDArray[np.float64], start: int, stop: int, bounds: NDArray[np.float64]
) -> None:
    """Smallest determinant of every cell, exact, for some rows of cells.

    Args:
        u: (2, X, Y), voxels.
        start, stop: rows.
        bounds: (X - 1, Y - 1), written.
    """
    for i in range(start, stop):
        for j in range(bounds.shape[1]):
            a, b = u[0, i, j], u[1, i, j]
            c, d = u[0, i, j + 1], u[1, i, j + 1]
            e, f = u[0, i + 1, j], u[1, i + 1, j]
            g, h = u[0, i + 1, j + 1], u[1, i + 1, j + 1]
            # Edges along the first axis at j and j + 1, along the second at i and i + 1.
            low_x, low_y, high_x, high_y = e - a + 1, f - b, g - c + 1, h - d
            near_x, near_y, far_x, far_y = c - a, d - b + 1, g - e, h - f + 1
            first = min(low_x * near_y - low_y * near_x, low_x * far_y - low_y * far_x)
            second = min(high_x * near_y - high_y * near_x, high_x * far_y - high_y * far_x)
            bounds[i, j] = min(first, second)


@helper
def _add_up(u: Any, i: int, j: int, line: Any) -> None:
    """Of each component and square of voxels across the third axis: what cells take from it.

    Differences along s and t, added up over the square, their difference st, and the square's sum.
    """
    for c in range(3):
        for k in range(line.shape[2]):
            a, b, d, e = u[c, i, j, k], u[c, i, j + 1, k], u[c, i + 1, j, k], u[c, i + 1, j + 1, k]
            line[c, 0, k] = (d - a) + (e - b)
            line[c, 1, k] = (b - a) + (e - d)
            line[c, 2, k] = (e - b) - (d - a)
            line[c, 3, k] = (a + b) + (d + e)


@helper
def _mixed(line: Any, c: int, k: int) -> tuple[float, ...]:
    """Differences of a component over a cell, four times the mean over the axes it does not name.

    Along s, t and r; half of those along st, sr and tr; a quarter of that along str.
    """
    s, ss, t, tt = line[c, 0, k], line[c, 0, k + 1], line[c, 1, k], line[c, 1, k + 1]
    st, sst, r, rr = line[c, 2, k], line[c, 2, k + 1], line[c, 3, k], line[c, 3, k + 1]
    return s + ss, t + tt, rr - r, abs(st + sst), abs(ss - s), abs(tt - t), abs(sst - st)


@helper
def _centre_bound(line: Any, k: int) -> float:
    """Lipschitz bound from a cell's centre.

    An edge along s differs from the centre's column, component by component, by at most the sum
    e_s of the cell's mixed differences |st|, |sr| and |str|. det(s, t, r) is linear in each column:
    what the differences change of it is at most the same sum of products, all of them positive.
    """
    s0, t0, r0, st0, sr0, tr0, str0 = _mixed(line, 0, k)
    s1, t1, r1, st1, sr1, tr1, str1 = _mixed(line, 1, k)
    s2, t2, r2, st2, sr2, tr2, str2 = _mixed(line, 2, k)
    s0, t1, r2 = s0 + 4, t1 + 4, r2 + 4
    a0, a1, a2 = st0 + sr0 + str0, st1 + sr1 + str1, st2 + sr2 + str2
    b0, b1, b2 = st0 + tr0 + str0, st1 + tr1 + str1, st2 + tr2 + str2
    c0, c1, c2 = sr0 + tr0 + str0, sr1 + tr1 + str1, sr2 + tr2 + str2
    x0, x1, x2 = t1 * r2 - t2 * r1, t2 * r0 - t0 * r2, t0 * r1 - t1 * r0
    y0, y1, y2 = r1 * s2 - r2 * s1, r2 * s0 - r0 * s2, r0 * s1 - r1 * s0
    z0, z1, z2 = s1 * t2 - s2 * t1, s2 * t0 - s0 * t2, s0 * t1 - s1 * t0
    once = a0 * abs(x0) + a1 * abs(x1) + a2 * abs(x2) + b0 * abs(y0) + b1 * abs(y1) + b2 * abs(y2)
    once += c0 * abs(z0) + c1 * abs(z1) + c2 * abs(z2)
    twice = abs(r0) * (a1 * b2 + a2 * b1) + abs(t0) * (a1 * c2 + a2 * c1)
    twice += abs(r1) * (a2 * b0 + a0 * b2) + abs(t1) * (a2 * c0 + a0 * c2)
    twice += abs(r2) * (a0 * b1 + a1 * b0) + abs(t2) * (a0 * c1 + a1 * c0)
    more = (abs(s0) + a0) * (b1 * c2 + b2 * c1) + (abs(s1) + a1) * (b2 * c0 + b0 * c2)
    more += (abs(s2) + a2) * (b0 * c1 + b1 * c0)
    return (s0 * x0 + s1 * x1 + s2 * x2 - once - twice - more) / 64


@helper
def _edge(u: Any, c: int, axis: int, i: int, j: int, k: int) -> float:
    """The map's component c along an edge that begins at a voxel."""
    ahead = u[c, i + (axis == 0), j + (axis == 1), k + (axis == 2)]
    return ahead - u[c, i, j, k] + (1.0 if c == axis else 0.0)


@helper
def _smallest_coefficient(u: Any, i: int, j: int, k: int) -> float:
    """Smallest of the 27 Bernstein coefficients of a cell's determinant.

    The coefficient (a, b, c) is the mean of det(s, t, r) over pairs of ends that add up to it:
    s at (j, k), t at (i, k), r at (i, j); along each axis two edges have ends, three sums.
    """
    least = np.inf
    for number in range(27):
        a, b, c = number // 9, number // 3 % 3, number % 3
        total, count = 0.0, 0.0
        for i0 in range(a // 2, (a + 1) // 2 + 1):  # 0, 0 and 1, or 1
            for j0 in range(b // 2, (b + 1) // 2 + 1):
                for k0 in range(c // 2, (c + 1) // 2 + 1):
                    total += _product(u, i, j, k, i0, a - i0, j0, b - j0, k0, c - k0)
                    count += 1.0
        mean = total / count
        least = mean if mean < least else least
    return least


@helper
def _product(
    u: Any, i: int, j: int, k: int, i0: int, i1: int, j0: int, j1: int, k0: int, k1: int
) -> float:
    """Determinant of the edges s at (j0, k0), t at (i0, k1) and r at (i1, j1) of a cell."""
    s = (i, j + j0, k + k0)
    t = (i + i0, j, k + k1)
    r = (i + i1, j + j1, k)
    s0, s1, s2 = _edge(u, 0, 0, *s), _edge(u, 1, 0, *s), _edge(u, 2, 0, *s)
    t0, t1, t2 = _edge(u, 0, 1, *t), _edge(u, 1, 1, *t), _edge(u, 2, 1, *t)
    r0, r1, r2 = _edge(u, 0, 2, *r), _edge(u, 1, 2, *r), _edge(u, 2, 2, *r)
    x0, x1, x2 = t1 * r2 - t2 * r1, t2 * r0 - t0 * r2, t0 * r1 - t1 * r0
    return s0 * x0 + s1 * x1 + s2 * x2


@kernel("void(float64[:, :, :, :], int64, int64, float64[:, :, ::1], float64[::1])")
def centre_bounds_3d(
    u: NDArray[np.float64],
    start: int,
    stop: int,
    bounds: NDArray[np.float64],
    smallest: NDArray[np.float64],
) -> None:
    """Bounds from the centres of cells, for some layers of cells.

    Args:
        u: (3, X, Y, Z), voxels.
        start, stop: layers.
        bounds: (X - 1, Y - 1, Z - 1), written.
        smallest: (X - 1,), written: the smallest coefficient of each layer's doubtful cell.
    """
    line = np.empty((3, 4, u.shape[3]))
    for i in range(start, stop):
        least, at_j, at_k = np.inf, 0, 0
        for j in range(bounds.shape[1]):
            _add_up(u, i, j, line)
            for k in range(bounds.shape[2]):
                bounds[i, j, k] = _centre_bound(line, k)
            for k in range(bounds.shape[2]):
                if bounds[i, j, k] < least:
                    least, at_j, at_k = bounds[i, j, k], j, k
        smallest[i] = _smallest_coefficient(u, i, at_j, at_k)


@kernel("void(float64[:, :, :, :], int64, int64, float64, float64[:, :, ::1])")
def coefficients_3d(
    u: NDArray[np.float64], start: int, stop: int, below: float, bounds: NDArray[np.float64]
) -> None:
    """Bernstein bounds of the cells whose bound is below a value, for some layers of cells.

    Args:
        u: (3, X, Y, Z), voxels.
        start, stop: layers.
        below: the value.
        bounds: (X - 1, Y - 1, Z - 1), changed.
    """
    for i in range(start, stop):
        for j in range(bounds.shape[1]):
            for k in range(bounds.shape[2]):
                if bounds[i, j, k] < below:
                    bounds[i, j, k] = _smallest_coefficient(u, i, j, k)
