"""Outlines of label maps on the planes on view, in their labels' colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_drdm.overlays.lines import Lines, chain, line_width, lines_content
from napari_drdm.overlays.overlay import LayerContent
from napari_drdm.overlays.view import Plane, View

if TYPE_CHECKING:
    from napari_drdm.overlays.style import DrawingStyle
    from napari_drdm.runs.moments import Moment

__all__ = ["contours", "contours_content"]

# Pixels from the middle of which a line may run outwards: closes what touches the border.
_RIM = 1

Colour = Callable[[NDArray[Any]], NDArray[Any]]


def contours(
    maps: Sequence[tuple[NDArray[Any], Colour]],
    spacing: tuple[float, ...],
    view: View,
) -> Lines:
    """Outlines halfway between pixels.

    Args:
        maps: labels (*frames, *axes), and what gives values (L,) their colours (L, 4).
        spacing: mm along the spatial axes.
        view: what is on view.
    """
    ndim = len(spacing)
    segments, colours = [np.zeros((0, 2, ndim))], [np.zeros((0, 4))]
    for labels, colour in maps:
        volume = labels[view.frame] if labels.ndim > ndim else labels
        for plane in view.planes:
            for value, points in _outlines(_slice(volume, plane)):
                found = chain(points, plane.rows, plane.columns, dict(plane.fixed), ndim)
                segments.append(found)
                colours.append(np.repeat(colour(np.array([value])), len(found), axis=0))
    shape = maps[0][0].shape[-ndim:]
    width = 1.5 * line_width(shape, spacing, view.shown)
    return Lines(np.concatenate(segments), width, colours=np.concatenate(colours))


def contours_content(moment: Moment, index: int, view: View, style: DrawingStyle) -> LayerContent:
    """The layer of the outlines that the labels had in the source."""
    back, case = moment.layer_case.back, moment.layer_case.case
    pairs = zip(case.labels, moment.source_layers(Labels), strict=False)
    coloured = [(back(labels.data), own.colormap.map) for labels, own in pairs]
    spacing = case.grid.spacing[: moment.spatial_axes][::-1]
    return lines_content(contours(coloured, spacing, view))


def _slice(volume: NDArray[Any], plane: Plane) -> NDArray[Any]:
    """(rows, columns) of a plane."""
    fixed = dict(plane.fixed)
    cut = volume[tuple(fixed.get(a, slice(None)) for a in range(volume.ndim))]
    return cut if plane.rows < plane.columns else cut.T


def _outlines(labels: NDArray[Any]) -> Iterator[tuple[Any, NDArray[np.float64]]]:
    """Values and their closed outlines, each (M, 2) as (column, row), pixels."""
    from contourpy import contour_generator
    from scipy.ndimage import find_objects

    values, compact = np.unique(labels, return_inverse=True)
    compact = compact.reshape(labels.shape)
    for index, box in enumerate(find_objects(compact + 1)):
        if values[index] == 0 or box is None:
            continue
        mask = np.pad(compact[box] == index, _RIM).astype(np.float64)
        corner = np.array([box[1].start, box[0].start]) - _RIM
        for points in contour_generator(z=mask, name="serial").lines(0.5):
            yield values[index], points + corner
