"""A displacement field to look at: arrows in mm, and the Jacobian determinant in colour.

An arrow starts at a voxel x of the new image and points to x + u(x), where its tissue
came from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ARROWS", "JACOBIAN_LIMITS", "arrows", "jacobian_colormap", "lengths_mm"]

#: Arrows in one view, at most.
ARROWS = 2000
#: Determinants at the ends of the colour scale; folds lie below it.
JACOBIAN_LIMITS = (0.0, 4.0)

_BELOW, _ABOVE = (0.13, 0.40, 0.95), (0.95, 0.30, 0.10)
_FOLD = (1.0, 0.0, 1.0, 1.0)


def lengths_mm(lps_mm: NDArray[np.float32]) -> NDArray[np.float64]:
    """Length of a displacement (X, Y, Z, 3): (X, Y, Z), mm."""
    return np.linalg.norm(lps_mm.astype(np.float64), axis=-1)


def arrows(
    field: NDArray[np.float64],
    lengths: NDArray[np.float64],
    spacing: tuple[float, ...],
    fixed: dict[int, int],
    at_most: int = ARROWS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrows evenly spread, in mm, over a plane or the whole field.

    Args:
        field: (*axes, n), voxels along the axes.
        lengths: (*axes), mm.
        spacing: mm, of each axis.
        fixed: index on each axis that is not shown; the others are covered.
        at_most: how many arrows.

    Returns:
        (N, 2, n) starts and vectors in voxels, and (N,) lengths in mm; all lie inside the image.
    """
    shape = lengths.shape
    shown = [axis for axis in range(len(shape)) if axis not in fixed]
    step = _step(shape, spacing, shown, at_most)
    lines = [
        np.array([min(max(fixed[a], 0), shape[a] - 1)])
        if a in fixed
        else _line(shape[a], spacing[a], step)
        for a in range(len(shape))
    ]
    at = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(shape))
    index = tuple(at.T)
    starts, vectors, mm = at.astype(np.float64), field[index], lengths[index]
    ends = starts + vectors
    inside = ((ends >= -0.5) & (ends <= np.asarray(shape) - 0.5)).all(axis=-1)
    return np.stack([starts, vectors], axis=1)[inside], mm[inside]


def jacobian_colormap() -> Any:
    """Determinants in colour: blue below 1, orange above, 1 is clear, and folds are magenta.

    Below 1 the new image shows tissue enlarged, since the map leads back to the source. The scale
    is logarithmic although the layer holds plain determinants; it saturates at 1/4 and 4.
    """
    from napari.utils import Colormap

    low, high = JACOBIAN_LIMITS
    controls = np.unique(np.concatenate([[0.0, 1.0], np.geomspace(0.25, 4.0, 65) / high]))
    strength = np.clip(np.log2(np.maximum(controls * (high - low) + low, 0.25)) / 2, -1, 1)
    alpha = np.clip(np.abs(strength), 0, 1)
    colours = np.where(strength[:, None] < 0, _BELOW, _ABOVE)
    return Colormap(
        colors=np.column_stack([colours, alpha]),
        controls=controls,
        low_color=_FOLD,
        nan_color=_FOLD,
        name="drdm Jacobian",
        display_name="Jacobian (log, 1 is clear)",
    )


def _step(
    shape: tuple[int, ...], spacing: tuple[float, ...], shown: list[int], at_most: int
) -> float:
    """Distance between arrows, mm, so that there are no more than ``at_most``."""
    extents = [shape[a] * spacing[a] for a in shown]
    step = (np.prod(extents) / at_most) ** (1 / max(len(shown), 1))
    while np.prod([len(_line(shape[a], spacing[a], step)) for a in shown]) > at_most:
        step *= 1.02
    return float(step)


def _line(size: int, spacing: float, step: float) -> NDArray[np.int64]:
    """Indices about ``step`` mm apart, as far from both ends, at least one."""
    count = min(size, max(1, int(size * spacing / step)))
    return ((np.arange(count) + 0.5) * size / count - 0.5).round().astype(np.int64)
