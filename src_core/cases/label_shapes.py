"""Shape measures of labels: agreement with an ellipse, thickness of a wall, what it encloses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

__all__ = ["ellipse_agreement", "enclosed_share", "wall_thickness"]


def ellipse_agreement(mask: ArrayLike) -> float:
    """Dice of a region with the ellipse (ellipsoid) of the same moments; 1 is a smooth wall.

    A uniform ellipse of D axes has all ``x' C^-1 x <= D + 2`` about its centre, C its covariance.

    Args:
        mask: (*spatial), voxels of the region are not zero.

    Returns:
        0 to 1, or NaN for a region that has no area.
    """
    region = np.asarray(mask) != 0
    inside = np.argwhere(region).astype(np.float64)
    if len(inside) <= region.ndim:
        return float("nan")
    covariance = np.atleast_2d(np.cov(inside.T, bias=True))
    if np.linalg.matrix_rank(covariance) < region.ndim:
        return float("nan")
    ellipse = _mahalanobis(region.shape, inside.mean(axis=0), covariance) <= region.ndim + 2
    return float(2 * (ellipse & region).sum() / (ellipse.sum() + region.sum()))


def wall_thickness(
    wall: ArrayLike, inner: ArrayLike, spacing: Sequence[float] | None = None
) -> tuple[float, float]:
    """Mean and deviation of a wall's thickness, voxels, or mm by a spacing.

    The thickness is the distance from each voxel of the outer rim of wall and inner to the nearest
    voxel of the inner region: 0 where the wall is broken through. An annulus of radii r and R has
    R - r.

    Args:
        wall: (*spatial), voxels of the wall are not zero.
        inner: (*spatial), what it encloses.
        spacing: mm along each axis; None for voxels.

    Returns:
        NaN for both where either is empty.
    """
    inside = np.asarray(inner) != 0
    whole = (np.asarray(wall) != 0) | inside
    if not inside.any() or np.array_equal(whole, inside):
        return float("nan"), float("nan")
    rim = whole & ~ndimage.binary_erosion(whole)
    distance = ndimage.distance_transform_edt(~inside, sampling=spacing)[rim]
    return float(distance.mean()), float(distance.std())


def enclosed_share(inner: ArrayLike, wall: ArrayLike) -> float:
    """Share of the voxels that touch a region's faces from outside and belong to a wall; or NaN."""
    region: NDArray[np.bool_] = np.asarray(inner) != 0
    around = ndimage.binary_dilation(region) & ~region
    return float((np.asarray(wall) != 0)[around].mean()) if around.any() else float("nan")


def _mahalanobis(
    shape: tuple[int, ...], centre: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    offsets = np.indices(shape).reshape(len(shape), -1) - centre[:, None]
    squares = (offsets * np.linalg.solve(covariance, offsets)).sum(axis=0)
    return np.asarray(squares.reshape(shape))
