"""What a viewer shows of a layer: which of its axes, and where on the others.

napari cuts a layer along its own axes, oblique ones too: a hidden axis takes its place from the
hidden block of world -> data, the displayed ones theirs from the displayed block of data -> world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Layer

__all__ = ["Plane", "View", "place_of", "view_of", "voxel_under"]


@dataclass(frozen=True)
class Plane:
    """A slice: its axes on the canvas, downwards and to the right, and where the third stands."""

    rows: int
    columns: int
    fixed: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class View:
    """The part of a layer that is on view; axes are counted from its first spatial one.

    Attributes:
        shown: spatial axes on the canvas, the last one to the right.
        fixed: (axis, index) of those that are not.
        centre: index along each axis of the planes that stand for a volume; empty in 2D.
        frame: index along the axes before the spatial ones.
        spatial: nothing but space is on the canvas.
    """

    shown: tuple[int, ...]
    fixed: tuple[tuple[int, int], ...]
    centre: tuple[int, ...] = ()
    frame: tuple[int, ...] = ()
    spatial: bool = True

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The slice on view, or in 3D the three through its centre."""
        if len(self.shown) == 2:
            return (Plane(self.shown[0], self.shown[1], self.fixed),)
        if len(self.shown) < 2:
            return ()
        pairs = ((0, 1), (0, 2), (1, 2))
        return tuple(
            Plane(rows, columns, ((3 - rows - columns, self.centre[3 - rows - columns]),))
            for rows, columns in pairs
        )


def view_of(layer: Layer, dims: Dims, ndim: int) -> View:
    """What is on view of a layer whose last ``ndim`` axes are spatial."""
    shown, hidden = _axes(layer, dims)
    first = layer.ndim - ndim
    last = np.asarray(_shape(layer)) - 1
    inverse: NDArray[np.float64] = np.asarray(np.linalg.inv(_to_world(layer, dims)), np.float64)
    point = np.asarray(dims.point[-layer.ndim :])
    at = np.clip(np.round(_cut(inverse, hidden, point)), 0, last[hidden]).astype(int).tolist()
    centre = np.clip(np.round(_cut(inverse, [*range(layer.ndim)], point)), 0, last).astype(int)
    return View(
        tuple(a - first for a in shown if a >= first),
        tuple((a - first, i) for a, i in zip(hidden, at, strict=True) if a >= first),
        tuple(centre[first:].tolist()) if len(shown) > 2 else (),
        tuple(i for _, i in sorted(zip(hidden, at, strict=True)) if _ < first),
        all(a >= first for a in shown),
    )


def voxel_under(layer: Layer, dims: Dims, position: ArrayLike) -> NDArray[np.float64]:
    """The place in a layer that is drawn at a world position, in voxels along its axes."""
    shown, hidden = _axes(layer, dims)
    to_world = _to_world(layer, dims)
    world = np.asarray(position, dtype=np.float64)[-layer.ndim :]
    voxel = np.empty(layer.ndim)
    inverse: NDArray[np.float64] = np.asarray(np.linalg.inv(to_world), np.float64)
    voxel[hidden] = _cut(inverse, hidden, np.asarray(dims.point[-layer.ndim :]))
    block, origin = to_world[np.ix_(shown, shown)], to_world[shown, -1]
    voxel[shown] = np.linalg.solve(block, world[shown] - origin)
    return voxel


def place_of(layer: Layer, dims: Dims, voxel: ArrayLike) -> NDArray[np.float64]:
    """Where a place of a layer, in voxels, is drawn: world along the displayed axes, the reverse.

    Axes of the layer that are not displayed do not move it.
    """
    shown, _ = _axes(layer, dims)
    to_world = _to_world(layer, dims)
    at = np.asarray(voxel, dtype=np.float64)[shown]
    return np.asarray(to_world[np.ix_(shown, shown)] @ at + to_world[shown, -1])


def _axes(layer: Layer, dims: Dims) -> tuple[list[int], list[int]]:
    """The layer's axes on the canvas, in order, and those that are not."""
    offset = dims.ndim - layer.ndim
    order = [a - offset for a in dims.order if a >= offset]
    return order[-dims.ndisplay :], order[: -dims.ndisplay]


def _cut(matrix: NDArray[np.float64], axes: list[int], point: NDArray[Any]) -> NDArray[np.float64]:
    """A point through the block of a matrix (n + 1, n + 1) that belongs to some axes."""
    return np.asarray(matrix[np.ix_(axes, axes)] @ point[axes] + matrix[axes, -1])


def _to_world(layer: Layer, dims: Dims) -> NDArray[np.float64]:
    """Data -> world in the viewer's units, (n + 1, n + 1)."""
    n = layer.ndim
    matrix = np.eye(n + 1)
    matrix[:n, n] = layer.data_to_world((0,) * n)
    for axis, row in enumerate(np.eye(n)):
        matrix[:n, axis] = np.asarray(layer.data_to_world(row)) - matrix[:n, n]
    matrix[:n] *= np.array(_units(layer, dims))[:, None]
    return matrix


def _units(layer: Layer, dims: Dims) -> list[float]:
    """The layer's units in the viewer's, along each axis."""
    if dims.units is None or len(dims.units) < layer.ndim:
        return [1.0] * layer.ndim
    pairs = zip(layer.units, dims.units[-layer.ndim :], strict=True)
    return [1.0 if own == world else float((1 * own).to(world).magnitude) for own, world in pairs]


def _shape(layer: Layer) -> tuple[int, ...]:
    data: Any = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    shape = tuple(data.shape)
    return shape[:-1] if getattr(layer, "rgb", False) else shape
