"""A plane in pixels: intensities in grey, labels as outlines halfway between voxels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from src_core.cases.case import Case
from src_core.drawing.planes import DrawnPlane

__all__ = ["LABEL_COLOURS", "intensity_window", "label_colours", "outlines", "tile"]

LABEL_COLOURS = (
    "#4f8df7", "#35d04f", "#ffb020", "#e05cd8", "#f4594a",
    "#2fd0d6", "#ffe45c", "#a98bff", "#ff9ec4", "#a5dc3c",
)  # fmt: skip
#: Lines are drawn this much larger and then reduced, so that they are smooth.
_FINE = 3


def tile(
    values: NDArray[Any],
    labels: NDArray[Any] | None,
    plane: DrawnPlane,
    scale: float,
    window: tuple[float, float],
    colours: Mapping[int, str],
    line: float = 1.6,
) -> Image.Image:
    """One plane as an RGB picture whose pixels are square in mm.

    Args:
        values: (rows, columns), as the plane gives them.
        labels: the same of a label map, or None.
        plane: that they are of.
        scale: pixels per mm.
        window: values that are black and white.
        colours: of each label's outline; labels without one are not drawn.
        line: width of outlines, pixels.
    """
    width, height = (max(round(scale * mm), 1) for mm in plane.size)
    low, high = window
    shades = (values.astype(np.float32) - low) * (255 / max(high - low, 1e-9))
    grey = Image.fromarray(shades.clip(0, 255)).resize((width, height), Image.Resampling.BILINEAR)
    picture = Image.fromarray(np.asarray(grey).round().astype(np.uint8)).convert("RGB")
    if labels is None:
        return picture
    for value, lines in outlines(labels):
        if value in colours:
            _draw_lines(picture, lines, labels.shape, colours[value], line)
    return picture


def outlines(labels: NDArray[Any]) -> Iterator[tuple[int, list[NDArray[np.float64]]]]:
    """Each label's closed outlines, (M, 2) as column and row; a voxel's middle is a whole number.

    A label that reaches the border of the plane is closed there, half a voxel outside.
    """
    from contourpy import contour_generator
    from scipy.ndimage import find_objects

    found, compact = np.unique(labels, return_inverse=True)
    compact = compact.reshape(labels.shape)
    for number, box in enumerate(find_objects(compact + 1)):
        if box is None or not found[number]:
            continue
        mask = np.pad(compact[box] == number, 1).astype(np.float64)
        corner = np.array([box[1].start - 1, box[0].start - 1])
        lines = contour_generator(z=mask, name="serial").lines(0.5)
        yield int(found[number]), [points + corner for points in lines]


def label_colours(labels: NDArray[Any] | None) -> dict[int, str]:
    """A colour for each label of a map, in the order of their values."""
    if labels is None:
        return {}
    values = [int(v) for v in np.unique(labels) if v]
    return {v: LABEL_COLOURS[i % len(LABEL_COLOURS)] for i, v in enumerate(values)}


def intensity_window(case: Case) -> tuple[float, float]:
    """Stored values of the first image that are shown as black and as white."""
    low, high = np.percentile(case.image, [0.5, 99.5])
    return float(low), float(high)


def _draw_lines(
    picture: Image.Image,
    lines: list[NDArray[np.float64]],
    shape: tuple[int, ...],
    colour: str,
    width: float,
) -> None:
    size = picture.size[0] * _FINE, picture.size[1] * _FINE
    per_voxel = np.array([size[0] / shape[1], size[1] / shape[0]])
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for points in lines:
        # the middle of the first voxel is half a voxel off the edge, that of a pixel half a pixel
        at = ((points + 0.5) * per_voxel - 0.5).ravel().tolist()
        draw.line(at, fill=255, width=max(round(width * _FINE), 1), joint="curve")
    picture.paste(colour, mask=mask.resize(picture.size, Image.Resampling.BOX))
