"""Line segments on their way to a Vectors layer, and how the user wants them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "Style", "chain", "line_width", "voxels_wide"]

# Of the longest side on view.
_LINE_WIDTH = 0.003


@dataclass(frozen=True)
class Style:
    """How overlays are drawn.

    Attributes:
        arrows: in one view, about; never more than 2,000.
        scale: how much longer than true arrows are drawn.
        goes: arrows tell where tissue goes, not where it came from.
        lines: of the deformed grid, along the longest side on view.
    """

    arrows: int = 700
    scale: float = 1.0
    goes: bool = False
    lines: int = 24


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
