"""Points, shapes and surfaces as positions in an image, and copies of their layers elsewhere.

A layer's vertices are taken through the viewer's world to the voxels of an image, so that scale,
translation, rotation, units and affine of both layers count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer, Points, Shapes, Surface
from numpy.typing import NDArray

from napari_drdm.layers.geometry import units_mm
from src_core.errors import InputError

__all__ = ["LayerPoints", "is_movable", "moved_layer", "take_points"]

_AXES = 3
#: Points on the outline of an ellipse, and on each side of a rectangle, once they become polygons.
_OUTLINE, _SIDE = 64, 8


@dataclass(frozen=True, eq=False)
class LayerPoints:
    """Vertices of a layer, in one moment.

    Attributes:
        state: what makes the layer again: data, settings, type.
        lengths: vertices of each shape; one length for points and surfaces.
        vertices: (N, n), of the layer's own axes.
        to_voxels: (n + 1, n + 1), from those axes to voxels of the image, its axes reversed.
    """

    state: tuple[Any, dict[str, Any], str]
    lengths: tuple[int, ...]
    vertices: NDArray[np.float64]
    to_voxels: NDArray[np.float64]

    def voxels(self) -> NDArray[np.float64]:
        """Positions (N, 3) in voxels of the image along X, Y, Z; 0 along a missing axis."""
        inner = _through(self.to_voxels, self.vertices)[:, -_AXES:][:, ::-1]
        return np.pad(inner, ((0, 0), (0, _AXES - inner.shape[1])))

    def at(self, voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The reverse of ``voxels`` for other positions: vertices (N, n) of the layer's axes."""
        new = _through(self.to_voxels, self.vertices)
        n = min(_AXES, new.shape[1])
        new[:, -n:] = voxels[:, :n][:, ::-1]
        return _through(np.asarray(np.linalg.inv(self.to_voxels)), new)


def is_movable(layer: Layer) -> bool:
    """Whether a layer has vertices: points, shapes or a surface."""
    return isinstance(layer, Points | Shapes | Surface)


def take_points(layer: Layer, image: Layer) -> LayerPoints:
    """A copy of a layer's vertices; to be taken on the main thread.

    Rectangles and ellipses become polygons: moved, they are none any more.

    Raises:
        InputError: the layer is empty, or has fewer axes than the image.
    """
    data, settings, kind = layer.as_layer_data_tuple()
    if layer.ndim < min(image.ndim, _AXES):
        raise InputError(
            f"this layer has {layer.ndim} axes",
            where=layer.name,
            expected=f"{min(image.ndim, _AXES)}, as {image.name}",
        )
    if isinstance(layer, Shapes):
        kinds = list(settings["shape_type"])
        outlines = [_outline(np.asarray(s), k) for s, k in zip(data, kinds, strict=True)]
        data = [outline for outline, _ in outlines]
        settings = {**settings, "shape_type": [one for _, one in outlines]}
    arrays = data if isinstance(layer, Shapes) else [data[0] if kind == "surface" else data]
    if not sum(map(len, arrays)):
        raise InputError("this layer is empty", where=layer.name, expected="points")
    vertices = np.concatenate([np.array(one, dtype=np.float64) for one in arrays])
    if not np.isfinite(vertices).all():
        raise InputError(
            "some positions are not finite", where=layer.name, expected="numbers", do="remove them"
        )
    across = _between(layer, image)
    return LayerPoints((data, settings, kind), tuple(map(len, arrays)), vertices, across)


def moved_layer(points: LayerPoints, voxels: NDArray[np.float64], name: str) -> Layer:
    """A layer like the one the points came from, at other positions (N, 3) in the image, voxels."""
    data, settings, kind = points.state
    vertices = points.at(voxels)
    if kind == "shapes":
        new: Any = np.split(vertices, np.cumsum(points.lengths)[:-1])
    else:
        new = (vertices, *data[1:]) if kind == "surface" else vertices
    known = {**settings["metadata"].get("drdm", {}), "output": name}
    known.pop("path", None)
    own = {
        "name": f"{settings['name']} | {name}",
        "metadata": {**settings["metadata"], "drdm": known},
        "visible": True,
    }
    return Layer.create(new, {**settings, **own}, kind)


def _between(layer: Layer, image: Layer) -> NDArray[np.float64]:
    """From a layer's axes to an image's voxels, over axes from the last; others stay."""
    n, m = layer.ndim, min(layer.ndim, image.ndim)
    own, theirs = _world(layer), _world(image)
    place = np.eye(n + 1)
    kept, taken = [*range(n - m, n), n], [*range(image.ndim - m, image.ndim), image.ndim]
    place[np.ix_(kept, kept)] = theirs[np.ix_(taken, taken)]
    return np.asarray(np.linalg.inv(place) @ own)


def _world(layer: Layer) -> NDArray[np.float64]:
    """From a layer's axes to the world, mm where units say so, (n + 1, n + 1)."""
    n = layer.ndim
    sizes = units_mm(layer)
    rows = [layer.data_to_world(row) for row in ((0,) * n, *np.eye(n))]
    origin, *ends = (np.asarray(row) * sizes for row in rows)
    world = np.eye(n + 1)
    world[:n] = np.column_stack([*(end - origin for end in ends), origin])
    return world


def _outline(corners: NDArray[Any], kind: str) -> tuple[NDArray[Any], str]:
    """A shape's vertices, and the type of shape that they make once they have moved."""
    if kind == "ellipse":
        middle = corners.mean(axis=0)
        one, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
        turn = np.linspace(0, 2 * np.pi, _OUTLINE, endpoint=False)[:, None]
        return middle + np.cos(turn) * one + np.sin(turn) * other, "polygon"
    if kind == "rectangle":
        share = np.arange(_SIDE)[:, None] / _SIDE
        ends = np.roll(corners, -1, axis=0)
        sides = [a + share * (b - a) for a, b in zip(corners, ends, strict=True)]
        return np.concatenate(sides), "polygon"
    return corners, kind


def _through(matrix: NDArray[Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (N, n) through an affine map (n + 1, n + 1)."""
    n = points.shape[1]
    return np.asarray(points @ matrix[:n, :n].T + matrix[:n, n])
