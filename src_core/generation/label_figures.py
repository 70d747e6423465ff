"""What a deformation did to each label: size, displacement and shape, in mm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.fields.planes import Field
from src_core.steering.label_measures import elongation_of, enclosed_label, thickness_mm

__all__ = ["LabelFigures", "label_figures"]

#: Voxels of a label map up to which walls are looked for, which takes longest.
_MOST_FOR_WALLS = 4_000_000
_FEWEST = 4
#: Values up to which boxes are looked for without counting the labels anew.
_MOST_DIRECT = 1000


@dataclass(frozen=True)
class LabelFigures:
    """One label before and after; NaN where there is nothing to measure.

    Attributes:
        value: of the label.
        volume_ml: before and after, the mean over frames.
        area_mm2: the same in the plane of a single slice; NaN for more slices.
        mean_mm: mean length of the displacement over the new label.
        most_mm: 95th percentile of that.
        largest_mm: largest of it.
        elongation: longest by shortest axis, before and after, in the plane of slices; of a cine
            in its first frame.
        wall_mm: thickness of a wall before and after; of a cine in its first frame.
        det: geometric mean of the Jacobian determinant over the new label; below 1 it grew.
    """

    value: int
    volume_ml: tuple[float, float]
    area_mm2: tuple[float, float]
    mean_mm: float
    most_mm: float
    largest_mm: float
    elongation: tuple[float, float]
    wall_mm: tuple[float, float]
    det: float

    @property
    def change_percent(self) -> float:
        """Change of size, %."""
        before, after = self.volume_ml
        return 100 * (after / before - 1) if before else nan


def label_figures(
    source: Case, case: Case, displacement: Field, jacobian: NDArray[np.float32]
) -> tuple[LabelFigures, ...]:
    """Figures of every label of the first label map but 0, by value.

    Args:
        source: before.
        case: after, on the same grid.
        displacement: (X, Y, Z, 3), LPS mm.
        jacobian: (X, Y, Z).
    """
    before, after = source.label_map, case.label_map
    if before is None or after is None:
        return ()
    values = _values(before)
    where = [_boxes(labels, values) for labels in (before, after)]
    return tuple(
        _figures(value, (before, after), (old, new), source.grid, displacement, jacobian)
        for value, old, new in zip(values, *where, strict=True)
    )


_Box = tuple[slice, ...] | None


def _figures(
    value: int,
    maps: tuple[NDArray[Any], NDArray[Any]],
    boxes: tuple[_Box, _Box],
    grid: Grid,
    displacement: Field,
    jacobian: NDArray[np.float32],
) -> LabelFigures:
    parts = [m[b] if b else None for m, b in zip(maps, boxes, strict=True)]
    first = [p if p is None or p.ndim == 3 else p[..., 0] for p in parts]
    frames = maps[0].shape[3] if maps[0].ndim == 4 else 1
    ml = abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000 / frames
    sizes = [0 if p is None else int((p == value).sum()) for p in parts]
    before, after = (n * ml for n in sizes)
    flat = 1000 / grid.spacing[2] if grid.shape[2] == 1 else nan
    lengths, det = _of_field(value, parts[1], boxes[1], displacement, jacobian)
    old, new = (_elongation(part, value, grid) for part in first)
    walls = _walls(value, maps, grid) if all(sizes) else (nan, nan)
    return LabelFigures(
        value,
        (before, after),
        (before * flat, after * flat),
        _summary(lengths, np.mean),
        _summary(lengths, _most),
        _summary(lengths, np.max),
        (old, new),
        walls,
        det,
    )


def _boxes(labels: NDArray[Any], values: list[int]) -> list[_Box]:
    """The box around each label over all of its frames; None where it is absent."""
    if values and values[0] > 0 and values[-1] <= _MOST_DIRECT and labels.dtype.kind in "iu":
        every = ndimage.find_objects(labels, values[-1])
        found = [every[value - 1] for value in values]
    else:
        codes = np.searchsorted(values, labels) + 1
        codes[~np.isin(labels, values)] = 0
        found = ndimage.find_objects(codes, len(values)) if values else []
    return [box if box is None else tuple(box) for box in found]


def _values(labels: NDArray[Any]) -> list[int]:
    """Labels but 0, ascending; a sum over small numbers is faster than sorting them."""
    if labels.dtype == np.uint8:
        return [int(v) for v in np.flatnonzero(np.bincount(labels.ravel(order="K"))) if v]
    return [int(v) for v in np.unique(labels) if v]


def _of_field(
    value: int, part: NDArray[Any] | None, box: _Box, u: Field, jacobian: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """Lengths of the displacement over a label, (N,), mm, and its mean determinant."""
    if part is None or box is None:
        return np.zeros(0), nan
    there = (part == value).any(axis=3) if part.ndim == 4 else part == value
    lengths = np.linalg.norm(u[box[:3]][there].astype(np.float64), axis=-1)
    det = jacobian[box[:3]][there].astype(np.float64)
    return lengths, exp(float(np.log(det).mean())) if (det > 0).all() else nan


def _summary(lengths: NDArray[np.float64], of: Callable[[NDArray[np.float64]], Any]) -> float:
    return float(of(lengths)) if len(lengths) else nan


def _most(lengths: NDArray[np.float64]) -> float:
    return float(np.percentile(lengths, 95))


def _elongation(part: NDArray[Any] | None, value: int, grid: Grid) -> float:
    if part is None or int((part == value).sum()) < _FEWEST:
        return nan
    axis = grid.slice_axis
    thick = grid.shape[axis] == 1 or grid.spacing[axis] > 1.5 * min(grid.spacing)
    axes = tuple(a for a in range(3) if not (thick and a == axis))
    return exp(elongation_of(part, value, grid, axes))


def _walls(value: int, maps: tuple[NDArray[Any], NDArray[Any]], grid: Grid) -> tuple[float, float]:
    """How thick a label is that encloses another, in the plane of slices; NaN for others."""
    maps = tuple(m if m.ndim == 3 else m[..., 0] for m in maps)  # type: ignore[assignment]
    if maps[0].size > _MOST_FOR_WALLS:
        return nan, nan
    axis = grid.slice_axis
    inner = enclosed_label(maps[0], value, axis)
    if inner is None:
        return nan, nan
    old, new = (thickness_mm(labels, value, inner, grid, axis) for labels in maps)
    return old, new
