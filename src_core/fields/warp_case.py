"""A displacement field applied to a case: every image and label map is sampled once, as stored.

The field is (X, Y, Z, 3), LPS mm, float32: the numbers that are saved are the numbers that warp.
A large grid is warped in parts, each from the part of the source that it comes from.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.tiles import built, parts, tile_axis
from src_core.cases.volume import Image, LabelMap
from src_core.errors import ArgumentError
from src_core.fields.sampling import Mode, inside, positions, sample, warp_labels

__all__ = [
    "Field",
    "along_axis",
    "field_tensor",
    "in_plane_axis",
    "lps_field",
    "warp_case",
    "warp_image",
    "warp_label_map",
]

Field = NDArray[np.float32]

# Float32 in oblique millimetres leaves this much, in voxels, of a component that was zero.
_ROUNDING = 1e-3
# Voxels around a position that its value may depend on.
_REACH = 2


def in_plane_axis(field: Field, grid: Grid) -> int | None:
    """The slice axis if nothing moves along it (a slice-wise field), else None."""
    axis = grid.slice_axis
    if grid.shape[axis] == 1:
        return axis
    still = all(
        np.abs(grid.to_voxels(field[along_axis(axis, part)])[..., axis]).max() < _ROUNDING
        for part in parts(grid.shape, axis)
    )
    return axis if still else None


def field_tensor(field: Field, grid: Grid, axis: int | None) -> Tensor:
    """A field in voxels, float64: (Z, 2, A, B), slices along ``axis`` first, or (1, 3, X, Y, Z)."""
    voxels = grid.to_voxels(field)
    if axis is None:
        return torch.from_numpy(np.moveaxis(voxels, -1, 0)[None].copy())
    planes = np.moveaxis(np.delete(voxels, axis, axis=-1), axis, 0)
    return torch.from_numpy(np.moveaxis(planes, -1, 1).copy())


def lps_field(u: Tensor, grid: Grid, axis: int | None) -> Field:
    """The reverse of ``field_tensor``; one slice (1, 2, A, B) serves all slices."""
    voxels = np.moveaxis(u.double().cpu().numpy(), 1, -1)
    if axis is not None:
        planes = np.broadcast_to(voxels, (grid.shape[axis], *voxels.shape[1:]))
    whole = voxels[0] if axis is None else np.moveaxis(planes, 0, axis)
    along = tile_axis(grid.shape, axis)

    def lps(part: slice) -> Field:
        some = whole[along_axis(along, part)]
        vectors = some if axis is None else np.insert(some, axis, 0.0, axis=-1)
        return grid.to_lps_mm(vectors).astype(np.float32)

    return built(grid.shape, along, lps)


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
    images, maps = (
        [np.empty(v.data.shape, v.data.dtype) for v in vs] for vs in (case.images, case.labels)
    )
    backgrounds = [_background(image) for image in case.images]
    along = tile_axis(case.grid.shape, axis)
    for part in parts(case.grid.shape, along):
        here = along_axis(along, part)
        places, there = _places(field, case.grid, axis, along, part)
        for new, image, background in zip(images, case.images, backgrounds, strict=True):
            new[here] = _image_values(image.data[there], places, axis, interpolation, background)
        for new, label_map in zip(maps, case.labels, strict=True):
            new[here] = _label_values(label_map.data[there], places, axis, labels)
    return Case(
        tuple(v.with_data(new) for v, new in zip(case.images, images, strict=True)),
        tuple(v.with_data(new) for v, new in zip(case.labels, maps, strict=True)),
        case.grid,
        case.name,
        case.notes,
    )


def along_axis(axis: int, part: slice) -> tuple[slice, ...]:
    """Index of a part of (X, Y, Z, ...) along one axis."""
    return (*[slice(None)] * axis, part)


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
    return image.with_data(_image_values(image.data, at, axis, mode, _background(image)))


def _image_values(
    data: NDArray[Any], at: Tensor, axis: int | None, mode: Mode, background: float
) -> NDArray[Any]:
    single = np.float32 if at.dtype == torch.float32 else np.float64
    values = _planes(data.astype(single), axis)
    warped = sample(values, at, mode)
    warped = torch.where(inside(at, values.shape[2:])[:, None], warped, background)
    return _stored(_volume(warped, axis, data.ndim), data.dtype)


def _background(image: Image) -> float:
    slope, intercept = image.scaling
    return (min(_physical_minimum(image), 0.0) - intercept) / slope


def _physical_minimum(image: Image) -> float:
    slope, intercept = image.scaling
    extreme = image.data.min() if slope > 0 else image.data.max()
    return float(extreme) * slope + intercept


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
    whole = data if data.ndim == 4 else data[..., None]
    batch = np.moveaxis(whole, axis, 0) if axis is not None else whole[None]
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(batch, -1, 1)))


def _volume(planes: Tensor, axis: int | None, ndim: int) -> NDArray[Any]:
    """The reverse of ``_planes``."""
    batch = np.moveaxis(planes.numpy(), 1, -1)
    whole = np.moveaxis(batch, 0, axis) if axis is not None else batch[0]
    return np.ascontiguousarray(whole if ndim == 4 else whole[..., 0])


def _stored(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
