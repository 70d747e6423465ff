"""Elongation, position and direction of labels.

Kept apart from the shape measures whose distributions are compared with real ones: a position
depends on how a scan was centred, and an angle has no ordinary mean.
"""

from __future__ import annotations

from itertools import combinations
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from src_core.evaluation.anatomy import LEAST_VOXELS, MOST_PAIRED_LABELS, Anatomy

__all__ = ["AXES", "direction_pairs", "elongation", "pose_figures"]

AXES = "xyz"


def pose_figures(
    labels: NDArray[np.integer], anatomy: Anatomy, mm_per_voxel: float
) -> dict[str, float]:
    """Elongation, position and direction of the labels of one map (*spatial); NaN where too small.

    Returns:
        ``elongation R`` of each region, ``position N x`` (and y, z) of each label's centroid in mm
        along the grid's axes, ``direction A-B x`` of the unit vector from one centroid to another.
    """
    axes = AXES[: labels.ndim]
    figures = {
        f"elongation {name}": elongation(np.isin(labels, values))
        for name, values in anatomy.regions().items()
    }
    centres = {v: _centroid(labels == v) * mm_per_voxel for v in anatomy.labels}
    for value, centre in centres.items():
        figures |= {f"position {value} {a}": float(c) for a, c in zip(axes, centre, strict=True)}
    for first, second in direction_pairs(anatomy):
        unit = _unit(centres[second] - centres[first])
        name = f"direction {first}-{second}"
        figures |= {f"{name} {a}": float(c) for a, c in zip(axes, unit, strict=True)}
    return figures


def direction_pairs(anatomy: Anatomy) -> list[tuple[int, int]]:
    """Pairs of labels with a direction: not a wall and what it encloses, which share a centre.

    None for more labels than ratios are taken of.
    """
    if len(anatomy.labels) > MOST_PAIRED_LABELS:
        return []
    walls = {tuple(sorted(pair)) for pair in anatomy.walls}
    return [pair for pair in combinations(anatomy.labels, 2) if pair not in walls]


def elongation(mask: ArrayLike) -> float:
    """Longest by shortest axis of the ellipse (ellipsoid) of the same moments; 1 is a disc.

    Args:
        mask: (*spatial), voxels of the region are not zero.

    Returns:
        NaN for a region of too few voxels, or of no extent along an axis.
    """
    inside = np.argwhere(np.asarray(mask) != 0).astype(np.float64)
    if len(inside) < LEAST_VOXELS:
        return nan
    squares = np.linalg.eigvalsh(np.cov(inside.T, bias=True))
    return float(np.sqrt(squares[-1] / squares[0])) if squares[0] > 1e-9 else nan


def _centroid(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean place of a region's voxels, NaN where they are too few."""
    if mask.sum() < LEAST_VOXELS:
        return np.full(mask.ndim, nan)
    return np.asarray(ndimage.center_of_mass(mask), dtype=np.float64)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else np.full(len(vector), nan)
