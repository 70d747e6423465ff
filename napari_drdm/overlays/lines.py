"""Line segments, and the content of the Vectors layer that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.overlays.overlay import BLENDING, LayerContent

__all__ = ["Lines", "chain", "line_width", "lines_content", "voxels_wide"]

# Of the longest side on view.
_LINE_WIDTH = 0.003
_COLOUR = "#ffd24a"


@dataclass(frozen=True, eq=False)
class Lines:
    """Segments in voxels of a layer with n axes.

    Attributes:
        segments: (N, 2, n), starts and vectors.
        width: in voxels.
        mm: (N,), what colours them, or None.
        colours: (N, 4) RGBA, or None.
    """

    segments: NDArray[np.float64]
    width: float
    mm: NDArray[np.float64] | None = None
    colours: NDArray[np.float64] | None = None


def lines_content(
    lines: Lines,
    style: str = "line",
    limit_mm: float = 0.0,
    metadata: Mapping[str, Any] | None = None,
) -> LayerContent:
    """The content of a Vectors layer.

    Args:
        lines: what it shows.
        style: ``line`` or ``arrow``.
        limit_mm: length at the end of the colour scale, where lengths colour the lines.
        metadata: joins the layer's.
    """
    fixed: dict[str, Any] = {
        "ndim": lines.segments.shape[-1],
        "vector_style": style,
        "blending": BLENDING,
        "opacity": 0.9,
        "edge_color": _COLOUR,
    }
    varying: dict[str, Any] = {}
    if lines.mm is not None:
        varying["features"] = {"mm": lines.mm}
        fixed |= {
            "edge_color": "mm",
            "edge_colormap": "turbo",
            "edge_contrast_limits": (0, limit_mm),
        }
    elif lines.colours is not None and len(lines.colours):
        varying["edge_color"] = lines.colours
    varying["edge_width"] = lines.width
    return LayerContent(lines.segments, fixed, varying, metadata or {})


def chain(
    points: NDArray[np.float64], rows: int, columns: int, fixed: dict[int, int], ndim: int
) -> NDArray[np.float64]:
    """Points (M, 2) as (column, row) of a plane, joined: (M - 1, 2, ndim) starts and vectors."""
    placed = np.empty((len(points), ndim))
    for axis, index in fixed.items():
        placed[:, axis] = index
    placed[:, columns], placed[:, rows] = points.T
    return np.stack([placed[:-1], np.diff(placed, axis=0)], axis=1)


def line_width(shape: tuple[int, ...], spacing: tuple[float, ...], shown: tuple[int, ...]) -> float:
    """Width of thin lines, voxels."""
    return voxels_wide(max(shape[a] * spacing[a] for a in shown) * _LINE_WIDTH, spacing, shown)


def voxels_wide(mm: float, spacing: tuple[float, ...], shown: tuple[int, ...]) -> float:
    """A width in voxels: napari draws it as many voxels wide along every axis, long or short.

    In a slice the mean is right; in 3D no ribbon is wider than asked for.
    """
    along = [spacing[a] for a in shown]
    return float(mm / (max(along) if len(along) > 2 else np.prod(along) ** (1 / len(along))))
