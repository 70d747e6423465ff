"""Regularity of a displacement field, as studies of registration report it.

NDV is the volume of the simplices whose orientation a map reverses (Liu et al., 2024, "On finite
difference Jacobian computation in deformable image registration", DOI 10.1007/s11263-023-02047-1);
SDlogJ the standard deviation of the logarithm of the Jacobian determinant (Leow et al., 2007).
"""

from __future__ import annotations

from itertools import product

from torch import Tensor

from src_core.fields import enlarge, jacobian_determinant
from src_core.fields.cells import determinant, require_field, slabs

__all__ = ["non_diffeomorphic_permille", "regularity_figures", "sd_log_jacobian"]

_CELLS = 1 << 18
#: Determinants below this count as this, as in Learn2Reg: folded voxels have no logarithm.
_LEAST_DETERMINANT = 1e-9
#: Corners of the simplex in the middle of a cube, of each of its two divisions, in an order in
#: which the identity's volume is positive.
_MIDDLES = (
    ((0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1)),
    ((1, 1, 1), (0, 0, 1), (0, 1, 0), (1, 0, 0)),
)


def regularity_figures(u: Tensor, size: int) -> dict[str, float]:
    """``ndv`` and ``sdlogj`` of a DDF (1, D, *state), state voxels, enlarged to a side of size."""
    factor = size // u.shape[-1]
    whole = enlarge(u.double(), factor) if factor > 1 else u.double()
    return {"ndv": non_diffeomorphic_permille(whole), "sdlogj": sd_log_jacobian(whole)}


def non_diffeomorphic_permille(u: Tensor) -> float:
    """Volume whose orientation the map reverses, in permille of the grid's volume.

    Each square is divided into two triangles and each cube into five tetrahedra, in both of the
    possible ways; the map is linear in each. The volumes of reversed simplices add up, and
    the two divisions count one half each. 0 exactly where the map is a digital diffeomorphism,
    apart from simplices of no volume.

    Args:
        u: (1, D, *spatial), D = 2 or 3, voxels.

    Raises:
        ArgumentError: u is no such field.
    """
    require_field("non_diffeomorphic_permille", u)
    ndim, cells = u.shape[1], 1
    for side in u.shape[2:]:
        cells *= side - 1
    total = sum(_reversed_sum(part) for _, part in slabs(u[0], _CELLS))
    return 1000 * total / ((4 if ndim == 2 else 12) * cells)


def sd_log_jacobian(u: Tensor) -> float:
    """Standard deviation of log det over the voxels off the border, by central differences.

    Args:
        u: (1, D, *spatial), D = 2 or 3, voxels, 3 or more along each axis.

    Raises:
        ArgumentError: u is no such field.
    """
    inside = tuple(slice(1, -1) for _ in u.shape[2:])
    det = jacobian_determinant(u)[0][inside]
    return float(det.clamp(min=_LEAST_DETERMINANT).log().std(correction=0))


def _reversed_sum(u: Tensor) -> float:
    """Sum of -det over the simplices with a negative one, of the cells of (D, *spatial)."""
    ndim = u.shape[0]
    corners = {c: _corner(u, c) for c in product((0, 1), repeat=ndim)}
    total = 0.0
    for corner in corners:
        ends = [tuple(b ^ (a == axis) for a, b in enumerate(corner)) for axis in range(ndim)]
        sign = (-1) ** sum(corner)
        total += _negative(sign * _determinant(corners, corner, ends))
    for origin, *ends in _MIDDLES if ndim == 3 else ():
        total += _negative(_determinant(corners, origin, ends))
    return total


def _corner(u: Tensor, corner: tuple[int, ...]) -> Tensor:
    """Displacement at one corner of every cell."""
    ends = (slice(b, n - 1 + b) for b, n in zip(corner, u.shape[1:], strict=True))
    return u[(slice(None), *ends)]


def _determinant(
    corners: dict[tuple[int, ...], Tensor], origin: tuple[int, ...], ends: list[tuple[int, ...]]
) -> Tensor:
    """Of the edges from one corner of the cells to others, as the map places them."""
    edges = []
    for end in ends:
        step = corners[end].new_tensor(end) - corners[end].new_tensor(origin)
        edges.append(corners[end] - corners[origin] + step.view(-1, *[1] * len(origin)))
    return determinant(edges)


def _negative(det: Tensor) -> float:
    return float(-det.clamp(max=0).sum())
