"""Small pictures of results: one slice and one window per source, so that they compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from src_core.cases.case import Case
from src_core.cases.volume import Volume

__all__ = ["SIDE", "Framing", "frame_case", "thumbnail"]

#: Pixels along each side: twice what a list shows, for dense screens.
SIDE = 112
_TINT = 0.45
#: Voxels of a slice that are looked at along each side, and how much it has to vary, by the most.
_SAMPLES, _RICH = 64, 0.8

#: Label values (rows, columns) -> RGBA in 0..1, (rows, columns, 4).
Colours = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Framing:
    """What of a case a thumbnail shows.

    Attributes:
        axis: the case's axis that is cut, 0 to 2.
        index: of the slice on it.
        window: physical values that are black and white.
        flips: whether rows and columns run backwards on view.
    """

    axis: int
    index: int
    window: tuple[float, float]
    flips: tuple[bool, bool] = (False, False)


def frame_case(
    case: Case, window: tuple[float, float], scale: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> Framing:
    """The slice with most of the labels; without, one near the middle that is not empty.

    Args:
        window: physical values that are black and white.
        scale: of the layer's last axes; negative where they run backwards on view.
    """
    axis = case.grid.slice_axis
    across, down = (a for a in range(3) if a != axis)
    backwards = [value < 0 for value in (*(1.0,) * (3 - len(scale)), *scale)[-3:]][::-1]
    return Framing(axis, _most_labelled(case, axis), window, (backwards[down], backwards[across]))


def thumbnail(
    case: Case, framing: Framing, tints: Colours | None = None, side: int = SIDE
) -> NDArray[np.uint8]:
    """A slice as its source looks, labels as a tint, true to its sides in mm: (side, side, 3)."""
    index = min(framing.index, case.grid.shape[framing.axis] - 1)
    colours = [v for v in case.images if v.channel is not None][:3] or [case.images[0]] * 3
    shades = np.stack([_shade(v, framing, index) for v in colours], axis=-1)
    if tints is not None and case.labels:
        tint = np.asarray(tints(_plane(case.labels[0], framing.axis, index)))
        weight = _TINT * tint[..., 3:]
        shades = shades * (1 - weight) + tint[..., :3] * weight
    rows, columns = framing.flips
    shades = shades[:: -1 if rows else 1, :: -1 if columns else 1]
    across, down = (a for a in range(3) if a != framing.axis)
    spacing = case.grid.spacing[down], case.grid.spacing[across]
    return _squared((shades * 255).round().astype(np.uint8), spacing, side)


def _shade(volume: Volume, framing: Framing, index: int) -> NDArray[np.float64]:
    """(rows, columns) of a slice, 0 to 1."""
    slope, intercept = volume.scaling
    values = _plane(volume, framing.axis, index) * np.float64(slope) + intercept
    low, high = framing.window
    return np.nan_to_num(np.clip((values - low) / ((high - low) or 1.0), 0, 1))


def _plane(volume: Volume, axis: int, index: int) -> NDArray[Any]:
    """(rows, columns) of a slice of the first frame, as a viewer shows it."""
    first = volume.data[..., 0] if volume.data.ndim == 4 else volume.data
    return np.take(first, index, axis=axis).T


def _most_labelled(case: Case, axis: int) -> int:
    """The slice with most of the labels; without any, that nearest the middle which shows much."""
    others = tuple(a for a in range(3) if a != axis)
    if case.label_map is not None:
        first = case.label_map[..., 0] if case.label_map.ndim == 4 else case.label_map
        counts = np.count_nonzero(first, axis=others)
        if counts.any():
            return int(counts.argmax())
    data = case.images[0].data[..., 0] if case.images[0].data.ndim == 4 else case.images[0].data
    steps = [1 if a == axis else max(1, n // _SAMPLES) for a, n in enumerate(data.shape)]
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.nan_to_num(data[tuple(slice(None, None, n) for n in steps)].std(axis=others))
    rich = np.flatnonzero(spread >= _RICH * spread.max())
    return int(rich[np.abs(rich - len(spread) // 2).argmin()])


def _squared(
    shades: NDArray[np.uint8], spacing: tuple[float, float], side: int
) -> NDArray[np.uint8]:
    """Resized to fit a black square, (rows, columns, 3) with mm per pixel -> (side, side, 3)."""
    extents = [n * s for n, s in zip(shades.shape[:2], spacing, strict=True)]
    height, width = (max(1, round(side * e / max(extents))) for e in extents)
    small = Picture.fromarray(np.ascontiguousarray(shades)).resize(
        (width, height), Picture.Resampling.BILINEAR
    )
    whole = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    whole[top : top + height, left : left + width] = np.asarray(small)
    return whole
