"""Which voxels of a source the viewer shows now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.layers.snapshots import voxel_shape
from napari_drdm.overlays.view import view_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from src_core.inspection.part_view import Part

__all__ = ["part_on_view", "region_of"]

#: Voxels of a volume that a drag may renew.
_MOST = 400_000


def part_on_view(viewer: ViewerModel, source: Layer) -> Part | None:
    """The voxels on view: the slice, or in 3D every n-th voxel; None for all."""
    from src_core.inspection.part_view import Part

    shape = voxel_shape(source)
    if len(shape) == 2:
        return None
    view = view_of(source, viewer.dims, 3)
    if not view.spatial:
        return None
    index = dict(view.fixed)
    fixed = (index.get(2), index.get(1), index.get(0))
    stride = 1
    if not index:
        stride = max(1, round((np.prod(shape[-3:]) / _MOST) ** (1 / 3)))
    part = Part(fixed, view.frame[0] if view.frame else None, stride)
    return None if part.whole else part


def region_of(shapes: Layer, source: Layer) -> tuple[tuple[int, int], ...] | None:
    """The box around all shapes, in voxels of a source along X, Y, Z; None where there are none.

    An axis along which the shapes are flat counts whole.
    """
    corners = [corner for shape in shapes.data for corner in np.asarray(shape)]
    if not corners:
        return None
    n = min(shapes.ndim, source.ndim)
    world = np.array([shapes.data_to_world(corner)[-n:] for corner in corners])
    full = np.zeros((len(world), source.ndim))
    full[:, source.ndim - n :] = world
    voxels = np.array([source.world_to_data(point) for point in full])
    ends = []
    for axis in range(-1, -4, -1):
        ends.append(_ends(voxels[:, axis], voxel_shape(source)[axis]) if -axis <= n else (0, 1))
    if source.ndim == 2:
        ends[2] = (0, 1)
    return tuple(ends)


def _ends(values: Any, size: int) -> tuple[int, int]:
    low, high = float(values.min()), float(values.max())
    if high - low < 1:
        return 0, size
    return int(np.clip(round(low), 0, size)), int(np.clip(round(high) + 1, 0, size))
