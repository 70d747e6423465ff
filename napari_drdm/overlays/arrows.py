"""Arrows: from a voxel x of the new image to x + u(x), where its tissue came from; or back.

An arrow back leads from x + u(x) to x. It joins the same two points, so no inverse is needed, and
it is true at every step of a run.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.field_layers import MOST_ARROWS
from napari_drdm.overlays.colours import limit_mm
from napari_drdm.overlays.layer_field import LayerField
from napari_drdm.overlays.lines import Lines, lines_content, voxels_wide
from napari_drdm.overlays.overlay import LayerContent
from napari_drdm.overlays.style import DrawingStyle
from napari_drdm.overlays.view import View

if TYPE_CHECKING:
    from napari_drdm.runs.moments import Moment

__all__ = ["arrows", "arrows_content"]

# Of the distance between arrows.
_WIDTH = 0.16


def arrows(field: LayerField, view: View, style: DrawingStyle | None = None) -> Lines:
    """Arrows evenly spread, in mm, over what is on view; those that would leave the image are not.

    They lie flat on the slice on view and are coloured by their whole length.
    """
    style = style or DrawingStyle()
    shape, spacing = field.shape, field.spacing
    step = _step(shape, spacing, view.shown, min(style.arrows, MOST_ARROWS))
    fixed = dict(view.fixed)
    lines = [
        np.array([fixed[a]]) if a in fixed else _line(shape[a], spacing[a], step)
        for a in range(len(shape))
    ]
    at = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(shape))
    vectors, mm = field.at(tuple(at.T))
    vectors[:, list(fixed)] = 0
    starts = at.astype(np.float64)
    if style.goes:
        starts, vectors = starts + vectors, -vectors
    vectors *= style.scale
    inside = _inside(starts, shape) & _inside(starts + vectors, shape)
    segments = np.stack([starts, vectors], axis=1)[inside]
    return Lines(segments, voxels_wide(_WIDTH * step, spacing, view.shown), mm=mm[inside])


def arrows_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """The layer of arrows; it carries the whole field, for the layer commands and for saving."""
    field, grid = moment.field(), moment.layer_case.case.grid
    drawn = arrows(LayerField(moment.layer_case, field), view, style)
    return lines_content(drawn, "arrow", limit_mm(grid), {"field": field, "affine": grid.affine})


def _inside(points: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = (points >= -0.5) & (points <= np.asarray(shape) - 0.5)
    return np.asarray(inside.all(axis=-1))


def _step(
    shape: tuple[int, ...], spacing: tuple[float, ...], shown: tuple[int, ...], at_most: int
) -> float:
    """Distance between arrows, mm, so that there are no more than ``at_most``."""
    extents = [shape[a] * spacing[a] for a in shown]
    step = (prod(extents) / at_most) ** (1 / max(len(shown), 1))
    while prod([len(_line(shape[a], spacing[a], step)) for a in shown]) > at_most:
        step *= 1.02
    return step


def _line(size: int, spacing: float, step: float) -> NDArray[np.int64]:
    """Indices about ``step`` mm apart, as far from both ends, at least one."""
    count = min(size, max(1, int(size * spacing / step)))
    return ((np.arange(count) + 0.5) * size / count - 0.5).round().astype(np.int64)
