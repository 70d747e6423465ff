"""Stored vectors of any kind as displacements in LPS mm, and what values say about their kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.tiles import parts
from src_core.io.field_kinds import FieldKind
from src_core.io.fsl import fsl_positions, is_absolute, lps_from_fsl

__all__ = ["doubt", "lps_displacements"]

Vectors = NDArray[Any]
#: Voxels along each axis that are looked at.
_LOOKED_AT = 48
#: Of the spread of positions that is left once the voxels' own positions are taken off.
_LEFT = 0.25
_UNIT = 1e-3


def lps_displacements(values: Vectors, grid: Grid, kind: FieldKind) -> Vectors:
    """Vectors (X, Y, Z, T, 3) of a kind as displacements in LPS mm; those of ``lps`` as they are.

    Raises:
        ArgumentError: values and grid differ in shape.
    """
    if kind.axes == "LPS" and not kind.positions:
        return values
    absolute = kind.positions
    if absolute is None:
        absolute = all(is_absolute(one, grid) for one in np.moveaxis(values, 3, 0))
    out, (x, y, _) = np.empty(values.shape, np.float32), grid.shape
    for part in parts(grid.shape, 2):
        u = np.asarray(values[:, :, part], np.float64)
        if absolute:
            here = np.arange(x), np.arange(y), np.arange(part.start, part.stop)
            u = u - _positions(grid, kind, here)[:, :, :, None]
        out[:, :, part] = _to_lps(u, grid, kind)
    return out


def doubt(values: Vectors, grid: Grid) -> str:
    """What speaks against displacements in mm, (X, Y, Z, T, 3), or nothing.

    Positions vary less once those of the voxels are taken off; directions are all of length 1.
    """
    looked_at = tuple(np.arange(0, n, -(-n // _LOOKED_AT)) for n in grid.shape)
    some = np.asarray(values[(*np.ix_(*looked_at), 0)], np.float64)
    for axes, words in (("RAS", "RAS mm"), ("LPS", "LPS mm"), ("voxels", "voxels")):
        kind = FieldKind("", "", "", axes, True)  # type: ignore[arg-type]
        here = _positions(grid, kind, looked_at)
        if _spread(some - here) < _LEFT * _spread(some):
            return f"the values are positions in {words}, not displacements"
    length = np.linalg.norm(some, axis=-1)
    moving = length > 0
    if moving.any() and np.abs(length[moving] - 1).max() < _UNIT and _spread(some[moving]) > _UNIT:
        return "the vectors are all of length 1: directions, not displacements"
    return ""


def _spread(u: Vectors) -> float:
    return float(u.reshape(-1, u.shape[-1]).std(axis=0).sum())


def _positions(
    grid: Grid, kind: FieldKind, voxels: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Positions of some voxels along X, Y and Z, (X', Y', Z', 3), in the axes of a kind."""
    at = np.stack(np.meshgrid(*voxels, indexing="ij"), axis=-1).astype(np.float64)
    if kind.axes == "voxels":
        return at
    if kind.axes == "FSL":
        return fsl_positions(at, grid)
    ras = at @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return np.asarray(ras * RAS_TO_LPS if kind.axes == "LPS" else ras)


def _to_lps(u: NDArray[np.float64], grid: Grid, kind: FieldKind) -> NDArray[np.float64]:
    of_axes: dict[str, Callable[[], NDArray[np.float64]]] = {
        "LPS": lambda: u,
        "RAS": lambda: u * RAS_TO_LPS,
        "voxels": lambda: grid.to_lps_mm(u),
        "FSL": lambda: lps_from_fsl(u, grid),
    }
    return of_axes[kind.axes]()
