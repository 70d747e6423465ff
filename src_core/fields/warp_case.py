"""A displacement field applied to a case: every image and label map is sampled once, as stored.

A large grid is warped in parts, each from the part of the source that it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.intensities import background, stored
from src_core.cases.tiles import parts, tile_axis
from src_core.cases.volume import Image, LabelMap
from src_core.errors import ArgumentError
from src_core.fields.planes import (
    Field,
    along_axis,
    field_tensor,
    from_planes,
    in_plane_axis,
    to_planes,
)
from src_core.fields.sampling import Mode, positions, sample_inside, warp_labels, warp_volumes

__all__ = [
    "warp_case",
    "warp_image",
    "warp_label_map",
    "warped_labels",
]

# Voxels around a position that its value may depend on.
_REACH = 2


def warp_case(
    case: Case,
    field: Field,
    *,
    interpolation: Literal["linear", "cubic"] = "linear",
    labels: Literal["linear", "nearest"] = "linear",
) -> Case:
    """Images and labels pulled back through a field on the case's grid.

    Outside, images take their smallest value where that is negative and else 0 (in physical
    units, so ITK's default agrees for images that start at 0), labels 0.

    Raises:
        ArgumentError: the field has another shape, or cubic is asked for with a 3D field.
    """
    if field.shape != (*case.grid.shape, 3):
        raise ArgumentError(
            f"warp_case() 'field' must be {(*case.grid.shape, 3)}, got {field.shape}"
        )
    axis = in_plane_axis(field, case.grid)
    outside = [_outside(image) for image in case.images]
    data = [v.data for v in case.images], [v.data for v in case.labels]
    warped = None
    if interpolation == "linear":
        to_voxels = case.grid.to_voxels(np.eye(3)).T
        warped = warp_volumes(*data, outside, field, to_voxels, axis, labels)
    images, maps = warped or _warped_by_parts(case, field, axis, outside, interpolation, labels)
    return Case(
        tuple(v.with_data(new) for v, new in zip(case.images, images, strict=True)),
        tuple(v.with_data(new) for v, new in zip(case.labels, maps, strict=True)),
        case.grid,
        case.name,
        case.notes,
    )


def warped_labels(
    labels: LabelMap, grid: Grid, field: Field, mode: Literal["linear", "nearest"] = "linear"
) -> NDArray[Any]:
    """A label map alone, as ``warp_case`` makes it of a case with it: (X, Y, Z) or (X, Y, Z, T)."""
    axis = in_plane_axis(field, grid)
    to_voxels = grid.to_voxels(np.eye(3)).T
    if warped := warp_volumes([], [labels.data], [], field, to_voxels, axis, mode):
        return warped[1][0]
    u = field_tensor(field, grid, axis)
    places = positions([range(n) for a, n in enumerate(grid.shape) if a != axis], u) + u
    return _label_values(labels.data, places, axis, mode)


def _warped_by_parts(
    case: Case,
    field: Field,
    axis: int | None,
    outside: Sequence[float],
    interpolation: Mode,
    labels: Literal["linear", "nearest"],
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """New voxels of images and label maps, by PyTorch."""
    images, maps = (
        [np.empty(v.data.shape, v.data.dtype) for v in vs] for vs in (case.images, case.labels)
    )
    along = tile_axis(case.grid.shape, axis)
    for part in parts(case.grid.shape, along):
        here = along_axis(along, part)
        places, there = _places(field, case.grid, axis, along, part)
        for new, image, value in zip(images, case.images, outside, strict=True):
            new[here] = _image_values(image.data[there], places, axis, interpolation, value)
        for new, label_map in zip(maps, case.labels, strict=True):
            new[here] = _label_values(label_map.data[there], places, axis, labels)
    return images, maps


def _places(
    field: Field, grid: Grid, axis: int | None, along: int, part: slice
) -> tuple[Tensor, tuple[slice, ...]]:
    """Where the voxels of a part come from, in voxels of a part of the source, and that part."""
    kept = [a for a in range(3) if a != axis]
    u = field_tensor(field[along_axis(along, part)], grid, axis)
    n = grid.shape[along]
    ranges = [range(grid.shape[a])[part if a == along else slice(None)] for a in kept]
    places = positions(ranges, u) + u
    if along == axis or part == slice(0, n):
        return places, along_axis(along, part)
    line = places[:, kept.index(along)]
    low = min(max(math.floor(float(line.min())) - _REACH, 0), max(n - 2, 0))
    high = min(max(math.ceil(float(line.max())) + _REACH + 1, low + 2), n)
    line -= low
    return places, along_axis(along, slice(low, high))


def warp_image(image: Image, at: Tensor, axis: int | None, mode: Mode = "linear") -> Image:
    """An image at positions, in their precision.

    Args:
        at: (Z or 1, 2, A, B), voxels of the slices along ``axis``, or (1, 3, X, Y, Z).
        axis: the slice axis, None in 3D.
    """
    return image.with_data(_image_values(image.data, at, axis, mode, _outside(image)))


def _image_values(
    data: NDArray[Any], at: Tensor, axis: int | None, mode: Mode, outside: float
) -> NDArray[Any]:
    single = np.float32 if at.dtype == torch.float32 else np.float64
    warped = sample_inside(_planes(data.astype(single), axis), at, outside, mode)
    return stored(_volume(warped, axis, data.ndim), data.dtype)


def _outside(image: Image) -> float:
    """The stored value of what lies outside an image."""
    slope, intercept = image.scaling
    extreme = image.data.min() if slope > 0 else image.data.max()
    smallest = np.asarray(float(extreme) * slope + intercept)
    return (float(background(smallest)) - intercept) / slope


def warp_label_map(
    labels: LabelMap, at: Tensor, axis: int | None, mode: Literal["linear", "nearest"] = "linear"
) -> LabelMap:
    """Labels at positions, as for ``warp_image``."""
    return labels.with_data(_label_values(labels.data, at, axis, mode))


def _label_values(
    data: NDArray[Any], at: Tensor, axis: int | None, mode: Literal["linear", "nearest"]
) -> NDArray[Any]:
    planes = _planes(data.astype(np.int64), axis)
    frames = [warp_labels(planes[:, t : t + 1], at, mode).numpy() for t in range(planes.shape[1])]
    merged = torch.from_numpy(np.concatenate(frames, axis=1))
    return _volume(merged, axis, data.ndim).astype(data.dtype)


def _planes(data: NDArray[Any], axis: int | None) -> Tensor:
    """(X, Y, Z[, T]) -> (Z, T, A, B) along a slice axis, or (1, T, X, Y, Z)."""
    whole = torch.from_numpy(data)
    frames = whole.movedim(-1, 0) if data.ndim == 4 else whole[None]
    return to_planes(frames, axis).contiguous()


def _volume(planes: Tensor, axis: int | None, ndim: int) -> NDArray[Any]:
    """The reverse of ``_planes``."""
    frames = from_planes(planes, axis).movedim(0, -1).contiguous()
    return (frames if ndim == 4 else frames[..., 0]).numpy()
