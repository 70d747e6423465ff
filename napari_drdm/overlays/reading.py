"""What a field does to a place of the new image, and which place is under the cursor.

u is interpolated linearly between voxels, as ITK does; det J and labels are the voxel's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from numpy.typing import ArrayLike, NDArray

from napari_drdm.layers.label_names import label_names
from napari_drdm.layers.units import unit_of
from napari_drdm.overlays.view import view_of, voxel_under
from src_core.cases.grid import RAS_TO_LPS

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.runs.moments import Moment

__all__ = ["Reading", "place_under", "value_at"]

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """What stands at one place of the new image.

    Attributes:
        u_mm: (3,), LPS: its tissue came from x + u.
        along_mm: u along the layer's spatial axes, in their order.
        length_mm: of u.
        det: Jacobian determinant; None where there is none yet.
        source_voxel: where the tissue came from, voxels along the layer's spatial axes.
        source_lps: the same in mm.
        labels: names of the labels there.
        unit: of lengths, px where no spacing is known.
    """

    u_mm: Vector
    along_mm: Vector
    length_mm: float
    det: float | None
    source_voxel: Vector
    source_lps: Vector
    labels: tuple[str, ...] = ()
    unit: str = "mm"


def value_at(moment: Moment, place: ArrayLike) -> Reading | None:
    """What a moment shows of a place; None outside the image, or while there is no field.

    Args:
        moment: what is shown.
        place: voxels along the axes of the source layer, as ``place_under`` gives them.
    """
    at = np.asarray(place, dtype=np.float64)
    n, grid = moment.spatial_axes, moment.layer_case.case.grid
    voxel = np.append(at[-n:][::-1], 0.0)[:3]
    size = np.asarray(grid.shape)
    if moment.displacement is None or (voxel < -0.5).any() or (voxel > size - 0.5).any():
        return None
    nearest = tuple(np.clip(np.round(voxel), 0, size - 1).astype(int))
    u = _linear(moment.displacement, voxel)
    moved = grid.to_voxels(u)
    came_from = grid.affine[:3, :3] @ (voxel + moved) + grid.affine[:3, 3]
    return Reading(
        _vector(u),
        _vector((moved * grid.spacing)[:n][::-1]),
        float(np.linalg.norm(u)),
        None if moment.jacobian is None else float(moment.jacobian[nearest]),
        _vector((voxel + moved)[:n][::-1]),
        _vector(RAS_TO_LPS * came_from),
        tuple(_labels(moment, at)),
        unit_of(moment.request.source).name,
    )


def place_under(moment: Moment, viewer: ViewerModel) -> NDArray[np.float64] | None:
    """The place of a moment's source that is under the cursor, voxels along the layer's axes.

    In 3D it is the first labelled voxel on the line of sight, else the brightest one.
    """
    source, dims = moment.request.source, viewer.dims
    offset, n = dims.ndim - source.ndim, moment.spatial_axes
    if sum(axis >= offset for axis in dims.displayed) < min(dims.ndisplay, n):
        return None  # an axis that the source does not have is on the canvas
    if dims.ndisplay == 2 or n == 2:
        return voxel_under(source, dims, viewer.cursor.position)
    if not view_of(source, dims, 3).spatial:
        return None
    start, end = source.get_ray_intersections(
        viewer.cursor.position,
        viewer.scene.camera.calculate_nd_view_direction(dims.ndim, dims.displayed),
        [a - offset for a in dims.displayed],
    )
    if start is None:
        return None
    ray = np.linspace(start, end, int(np.abs(end - start).max()) + 2)
    return ray[_first_seen(moment, ray)]


def _linear(values: NDArray[Any], voxel: NDArray[np.float64]) -> NDArray[np.float64]:
    """A field (X, Y, Z, 3) between its voxels; beyond their middles as at the border."""
    last = np.asarray(values.shape[:3]) - 1
    voxel = np.clip(voxel, 0, last)
    low = np.floor(voxel).astype(int)
    part = voxel - low
    total = np.zeros(values.shape[3:])
    for corner in product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, part, 1 - part))
        total += weight * values[tuple(np.minimum(low + corner, last))].astype(np.float64)
    return total


def _labels(moment: Moment, at: NDArray[np.float64]) -> list[str]:
    """Names of the labels at a place, one of each map that has one there."""
    names_there = []
    for labels, layer in zip(moment.labels, moment.source_layers(Labels), strict=True):
        names = label_names(layer)
        value = int(_nearest(labels, at))
        names_there += [names.get(value, f"label {value}")] if value else []
    return names_there


def _nearest(values: NDArray[Any], at: NDArray[np.float64]) -> Any:
    """The value at a place of an array that may lack the place's first axes."""
    own = at[-values.ndim :]
    return values[tuple(np.clip(np.round(own), 0, np.asarray(values.shape) - 1).astype(int))]


def _first_seen(moment: Moment, ray: NDArray[np.float64]) -> int:
    """Which point of a line of sight, (K, axes), is seen."""
    for labels in moment.labels[:1]:
        met = np.flatnonzero([_nearest(labels, at) for at in ray])
        if len(met):
            return int(met[0])
    return int(np.argmax([np.mean(_nearest(moment.images[0], at)) for at in ray]))


def _vector(values: NDArray[np.float64]) -> Vector:
    return tuple(float(value) for value in values)
