"""Displacement fields as layers: arrows over the image they belong to, the dense field behind them.

Every such layer carries ``metadata["drdm"]["field"]``, (X, Y, Z, 3) LPS mm, and ``["affine"]``,
voxel -> RAS mm. An arrow starts at a voxel x and points to x + u(x).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from src_core.cases.grid import Grid

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = [
    "ARROWS_PER_PLANE",
    "MOST_ARROWS",
    "DenseField",
    "arrows_over",
    "axes_of",
    "field_in",
    "field_layer",
    "field_of",
    "round_mm",
]

#: Arrows in one layer, at most.
MOST_ARROWS = 2000
#: Arrows of one plane, about.
ARROWS_PER_PLANE = 700

_STEPS = (1.0, 2.0, 5.0)

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True, eq=False)
class DenseField:
    """A displacement field.

    Attributes:
        displacement: (X, Y, Z, 3), float32, LPS mm.
        grid: where it lies.
    """

    displacement: NDArray[np.float32]
    grid: Grid

    @property
    def plane(self) -> bool:
        """Whether it is a single slice, shown as (Y, X)."""
        return self.grid.shape[2] == 1

    def at(self, grid: Grid, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Displacements at voxels (N, 3) of a grid: (N, 3), LPS mm, linear; NaN beyond its own."""
        across = np.linalg.inv(self.grid.affine) @ grid.affine
        at = (voxels @ across[:3, :3].T + across[:3, 3]).T
        size = np.array(self.grid.shape)[:, None]
        within = (at > -0.5) & (at < size - 0.5)
        beyond = np.asarray(~within.all(axis=0))
        parts = np.moveaxis(self.displacement, -1, 0)
        u = [map_coordinates(p, at, output=np.float64, order=1, mode="nearest") for p in parts]
        return np.where(beyond[:, None], np.nan, np.stack(u, axis=-1))


def field_of(layer: Layer) -> DenseField | None:
    """The dense field behind a layer, or None."""
    return field_in(layer.metadata)


def field_in(metadata: dict[str, Any]) -> DenseField | None:
    """The dense field in a layer's metadata, or None."""
    known = metadata.get("drdm", {})
    if known.get("field") is None or known.get("affine") is None:
        return None
    u = np.asarray(known["field"], dtype=np.float32)
    x, y, z = u.shape[:3]
    return DenseField(u, Grid((x, y, z), known["affine"]))


def field_layer(field: DenseField, name: str, path: Path | None = None) -> LayerData:
    """A field as a Vectors layer that lies as the image reader would put an image of its grid."""
    vectors, mm = arrows_over(field, field.grid, field.plane, {}, MOST_ARROWS)
    file = {} if path is None else {"path": str(path)}
    known = {"field": field.displacement, "affine": field.grid.affine, "output": "field", **file}
    settings = {
        "name": name,
        "features": {"mm": mm},
        "edge_color": "mm",
        "edge_colormap": "turbo",
        "edge_contrast_limits": (0.0, round_mm(field)),
        "vector_style": "arrow",
        "edge_width": _width(field),
        "metadata": {"drdm": known},
        **axes_of(field.grid, field.plane),
    }
    return vectors, settings, "vectors"


def axes_of(grid: Grid, plane: bool) -> dict[str, Any]:
    """Scale, units and names of a layer's axes (Z, Y, X), or (Y, X) for single slices."""
    n = 2 if plane else 3
    return {
        "scale": grid.spacing[:n][::-1],
        "units": ("mm",) * n,
        "axis_labels": ("z", "y", "x")[-n:],
    }


def round_mm(field: DenseField) -> float:
    """The first of 1, 2, 5, 10, 20, ... mm that no displacement exceeds."""
    longest = float(np.linalg.norm(field.displacement, axis=-1).max())
    decade = 10.0 ** max(0, int(np.floor(np.log10(max(longest, 1.0)))))
    return next(s * decade for s in (*_STEPS, 10.0) if s * decade >= longest)


def arrows_over(
    field: DenseField, grid: Grid, plane: bool, fixed: dict[int, int], at_most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrows of a field at voxels of an image, evenly spread, on one of its planes or all over it.

    Args:
        field: on whatever grid.
        grid: the image's.
        plane: the image is a single slice, (Y, X).
        fixed: index on each of the layer's axes that is not shown; the others are covered.
        at_most: how many arrows.

    Returns:
        (N, 2, n) starts and vectors, voxels along the layer's axes, and (N,) whole lengths in mm;
        all lie flat on the plane, inside the image, and start inside the field.
    """
    n = 2 if plane else 3
    shape, spacing = grid.shape[:n][::-1], grid.spacing[:n][::-1]
    starts = _spread(shape, spacing, fixed, at_most)
    u = field.at(grid, np.pad(starts[:, ::-1], ((0, 0), (0, 3 - n))))
    vectors = grid.to_voxels(u)[:, :n][:, ::-1].copy()
    vectors[:, list(fixed)] = 0
    ends = starts + vectors
    inside = ((ends >= -0.5) & (ends <= np.array(shape) - 0.5)).all(axis=-1)
    lengths = np.linalg.norm(u, axis=-1)
    return np.stack([starts.astype(np.float64), vectors], axis=1)[inside], lengths[inside]


def _spread(
    shape: tuple[int, ...], spacing: tuple[float, ...], fixed: dict[int, int], at_most: int
) -> NDArray[np.int64]:
    """Voxels about equally far apart in mm, (N, n), with N at most ``at_most``."""
    free = [axis for axis in range(len(shape)) if axis not in fixed]
    step = prod(shape[a] * spacing[a] for a in free) / at_most
    step **= 1 / max(len(free), 1)
    while prod([_count(shape[a], spacing[a], step) for a in free]) > at_most:
        step *= 1.02
    lines = [
        np.array([min(max(fixed[a], 0), n - 1)])
        if a in fixed
        else _line(n, _count(n, spacing[a], step))
        for a, n in enumerate(shape)
    ]
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(shape))


def _count(size: int, spacing: float, step: float) -> int:
    return min(size, max(1, int(size * spacing / step)))


def _line(size: int, count: int) -> NDArray[np.int64]:
    """Indices as far from both ends as from each other."""
    return ((np.arange(count) + 0.5) * size / count - 0.5).round().astype(np.int64)


def _width(field: DenseField) -> float:
    """Width of an arrow in voxels: a seventh of the distance to the next."""
    pixels = sorted(field.grid.shape)[1:]
    return 0.15 * float(np.sqrt(max(np.prod(pixels) / ARROWS_PER_PLANE, 1.0)))
