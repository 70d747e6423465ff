"""The deformed grid: lines that were straight in the source, where they lie in the new image.

Tissue at x came from x + u(x), so a line of the source at coordinate c is the level set
``x_a + u_a(x) = c``: exact on the slice on view, without an inverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.overlays.layer_field import LayerField
from napari_drdm.overlays.lines import Lines, chain, line_width, lines_content
from napari_drdm.overlays.overlay import LayerContent
from napari_drdm.overlays.style import DrawingStyle
from napari_drdm.overlays.view import Plane, View

if TYPE_CHECKING:
    from napari_drdm.runs.moments import Moment

__all__ = ["grid_content", "grid_lines"]

# Segments in one view, about: napari redraws a few thousand in 0.1 s.
_SEGMENTS = 4000


def grid_lines(field: LayerField, view: View, style: DrawingStyle | None = None) -> Lines:
    """Lines evenly spaced, in mm, in the source, on the planes on view."""
    style, ndim = style or DrawingStyle(), len(field.shape)
    step = max(field.shape[a] * field.spacing[a] for a in view.shown) / style.lines
    samples = _SEGMENTS // (2 * style.lines * max(1, len(view.planes)))
    found = [
        chain(points, plane.rows, plane.columns, dict(plane.fixed), ndim)
        for plane in view.planes
        for points in _plane(field, plane, step, samples)
    ]
    segments = np.concatenate(found) if found else np.zeros((0, 2, ndim))
    return Lines(segments, line_width(field.shape, field.spacing, view.shown))


def grid_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """The layer of the deformed grid."""
    return lines_content(grid_lines(LayerField(moment.layer_case, moment.field()), view, style))


def _plane(
    field: LayerField, plane: Plane, step: float, samples: int
) -> Iterator[NDArray[np.float64]]:
    """The lines of a plane, ``step`` mm apart in the source, each (M, 2) as (column, row)."""
    axes = (plane.rows, plane.columns)
    sides = [field.shape[a] * field.spacing[a] for a in axes]
    if min(field.shape[a] for a in axes) < 2:
        return
    rows, columns = (_samples(field.shape[a], samples) for a in axes)
    source = _source(field, plane, rows, columns)
    for which, (axis, side) in enumerate(zip(axes, sides, strict=True)):
        count = max(1, round(side / step))
        levels = (np.arange(count) + 0.5) * field.shape[axis] / count - 0.5
        yield from _level_sets(source[..., which], rows, columns, levels)


def _source(
    field: LayerField, plane: Plane, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where the tissue of a plane came from, x + u(x): (rows, columns, 2), voxels."""
    place: dict[int, Any] = {plane.rows: rows[:, None], plane.columns: columns[None, :]}
    place |= dict(plane.fixed)
    along, _ = field.at(tuple(place[a] for a in range(len(field.shape))))
    moved = [along[..., axis] + place[axis] for axis in (plane.rows, plane.columns)]
    return np.stack(moved, axis=-1)


def _level_sets(
    values: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    levels: NDArray[np.float64],
) -> Iterator[NDArray[np.float64]]:
    from contourpy import contour_generator

    generator = contour_generator(columns, rows, values, name="serial")
    for level in levels:
        lines: Any = generator.lines(float(level))
        yield from lines


def _samples(size: int, at_most: int) -> NDArray[np.int64]:
    """Indices from the first to the last voxel."""
    count = max(2, min(size, at_most))
    return np.linspace(0, size - 1, count).round().astype(np.int64)
