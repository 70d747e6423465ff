"""Proof that ``phi(x) = x + u(x)``, multilinear on each cell, folds nowhere between the voxels.

In 2D a cell's map a + b s + c t + d st has the determinant det(b + d t, c + d s), which is
det(b, c) + s det(b, d) + t det(d, c), as det(d, d) = 0: linear, so smallest at a corner. In 3D it
has degree 2 in each variable and is bounded by its 27 Bernstein coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from src_core.fields.cells import corners_of, determinant, lowest_corners, require_field, slabs
from src_core.fields.kernels import certificate as compiled

__all__ = ["Certificate", "cell_bounds", "certify", "combined"]

_AT_ONCE = 4096
_SLAB = 32768
_FIRST = 1024


@dataclass(frozen=True)
class Certificate:
    """What is proven of one field.

    Attributes:
        min_det: a lower bound of the determinant over the whole map, in 2D its minimum.
        bad_cells: cells with a bound of 0 or less.
        low_cells: cells with a bound below the floor.
        cells: all cells.
    """

    min_det: float
    bad_cells: int
    low_cells: int
    cells: int

    @property
    def strict_folding_permille(self) -> float:
        """Share of the cells that may fold somewhere."""
        return 1000 * self.bad_cells / self.cells

    @property
    def certified(self) -> bool:
        """Whether no cell's bound is below the floor."""
        return self.low_cells == 0


def certify(u: Tensor, floor: float = 0.01) -> list[Certificate]:
    """One certificate per batch item, evaluated in float64.

    Args:
        u: (B, D, *spatial), D = 2 or 3, voxels.
        floor: determinants below it count as low.

    Raises:
        ArgumentError: u is not such a field, has a one-voxel axis or is not finite.

    Source: Knupp 1990, "On the invertibility of the isoparametric map", CMAME 78:313, for the
        corners of a bilinear cell; Johnen, Weill & Remacle 2017, arXiv:1706.01613, for the
        Bernstein bounds of a trilinear one.
    """
    return [_certificate(bounds, floor) for bounds in cell_bounds(u, floor)]


def combined(proofs: Sequence[Certificate]) -> Certificate:
    """One certificate for several maps, or for the parts of one."""
    return Certificate(
        min_det=min(p.min_det for p in proofs),
        bad_cells=sum(p.bad_cells for p in proofs),
        low_cells=sum(p.low_cells for p in proofs),
        cells=sum(p.cells for p in proofs),
    )


def cell_bounds(u: Tensor, floor: float = 0.01) -> list[Tensor]:
    """Lower bounds of the determinant on every cell, one tensor (*cells) per batch item.

    Args and errors are those of ``certify``. In 3D, cells far above the floor and the minimum
    keep a cheaper, smaller bound.
    """
    require_field("certify", u)
    bounds_of = _bounds_2d if u.shape[1] == 2 else _bounds_3d
    if compiled.can_bound(u.shape[1]):
        bounds_of = compiled.bounds
    cells = [n - 1 for n in u.shape[2:]]
    return [bounds_of(one.double(), floor).reshape(cells) for one in u.detach().cpu()]


def _certificate(bounds: Tensor, floor: float) -> Certificate:
    smallest = float(bounds.min())
    bad = int((bounds <= 0).sum()) if smallest <= 0 else 0
    low = int((bounds < floor).sum()) if smallest < floor else 0
    return Certificate(smallest, bad, low, bounds.numel())


def _bounds_2d(u: Tensor, floor: float) -> Tensor:
    """Smallest corner determinant of every cell, exact: (2, X, Y) -> (X - 1, Y - 1)."""
    along_x, along_y = u.diff(dim=1), u.diff(dim=2)
    along_x[0] += 1
    along_y[1] += 1
    low, high = slice(None, -1), slice(1, None)
    corners = [
        determinant((along_x[:, :, j], along_y[:, i])) for i, j in product((low, high), repeat=2)
    ]
    return torch.stack(corners).amin(0)


def _bounds_3d(u: Tensor, floor: float) -> Tensor:
    """Bernstein bounds of the cells that could be smallest or low, cheap bounds of the others.

    A cheap bound never exceeds the Bernstein bound, so that neither the minimum nor the cells
    below the floor depend on which cells were left at it. (3, X, Y, Z) -> (cells,).
    """
    bounds = torch.cat([_cheap_bounds(slab).flatten() for _, slab in slabs(u, _SLAB)])
    first = bounds.topk(min(_FIRST, len(bounds)), largest=False).indices
    smallest = float(_bernstein_bounds(u, first).min())
    doubtful = (bounds < max(smallest, floor)).nonzero()[:, 0]
    doubtful = torch.cat([first, doubtful])
    for part in doubtful.split(_AT_ONCE):
        bounds[part] = _bernstein_bounds(u, part)
    return bounds


def _cheap_bounds(u: Tensor) -> Tensor:
    """Lipschitz bound from each cell's centre: (3, X, Y, Z) -> (X - 1, Y - 1, Z - 1).

    An edge along s differs from the centre's column by at most e_s = |f_st| + |f_sr| + |f_str|, the
    cell's mixed differences; a determinant is linear in each column, and |det(a, b, c)| is at most
    |a| |b x c| and |a| |b| |c|.
    """
    m_s, d_s = _mean_and_difference(u, 1)
    (m_st, t), (s, st) = _mean_and_difference(m_s, 2), _mean_and_difference(d_s, 2)
    r = m_st.diff(dim=3)
    (t, tr), (s, sr), (st, str_) = (_mean_and_difference(part, 3) for part in (t, s, st))
    for axis, column in enumerate((s, t, r)):
        column[axis] += 1
    n_st, n_sr, n_tr, n_str = _length(st) / 2, _length(sr) / 2, _length(tr) / 2, _length(str_) / 4
    e_s, e_t, e_r = n_st + n_sr + n_str, n_st + n_tr + n_str, n_sr + n_tr + n_str
    t_r = _cross(t, r)
    once = e_s * _length(t_r) + e_t * _length(_cross(r, s)) + e_r * _length(_cross(s, t))
    twice = _length(s) * e_t * e_r + _length(t) * e_s * e_r + _length(r) * e_s * e_t
    return (s * t_r).sum(0) - once - twice - e_s * e_t * e_r


def _bernstein_bounds(u: Tensor, cells: Tensor) -> Tensor:
    """Smallest of the 27 Bernstein coefficients of each cell's determinant: (n,) -> (n,)."""
    corners = corners_of(u, lowest_corners(cells, u.shape[1:]))
    s, t, r = (corners.select(axis, 1) - corners.select(axis, 0) for axis in (1, 2, 3))
    for axis, edges in enumerate((s, t, r)):
        edges[axis] += 1
    # i, j, k count ends along s, t, r: s is (3, j, k, n), t is (3, i, k, n), r is (3, i, j, n).
    t_r = _cross(t[:, :, :, None, None], r[:, None, None])
    t_r = _merge(t_r, 1, 3)[:, :, :, :, None, None]
    edges = s[:, None, None]
    whole = t_r[:, 0] * edges[0] + t_r[:, 1] * edges[1] + t_r[:, 2] * edges[2]
    return _merge(_merge(whole, 2, 3), 2, 3).flatten(0, 2).amin(0)


def _merge(x: Tensor, first: int, second: int) -> Tensor:
    """Two axes of degree 1 to a leading one of degree 2: B_i B_j is B_(i+j), halved if i != j."""
    low, high = x.movedim((first, second), (0, 1))
    return torch.stack((low[0], (low[1] + high[0]) / 2, high[1]))


def _mean_and_difference(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    low, high = x.narrow(axis, 0, x.shape[axis] - 1), x.narrow(axis, 1, x.shape[axis] - 1)
    return (low + high) / 2, high - low


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack(
        (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    )


def _length(x: Tensor) -> Tensor:
    return (x[0] * x[0] + x[1] * x[1] + x[2] * x[2]).sqrt()
