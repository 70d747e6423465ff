"""Measures of label maps (X, Y, Z) or (X, Y, Z, T) in physical units, as they are delivered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.label_shapes import enclosed_share, wall_thickness

__all__ = [
    "area_mm2",
    "centre_lps",
    "covariance_mm2",
    "elongation_of",
    "enclosed_label",
    "slices_with",
    "thickness_mm",
    "volume_ml",
]

#: A label is the wall of what it fills three quarters of the surroundings of.
_ENCLOSED = 0.75


def volume_ml(labels: NDArray[Any], label: int, grid: Grid) -> float:
    """Volume of a label, the mean over frames."""
    frames = labels.shape[3] if labels.ndim == 4 else 1
    voxel = abs(float(np.linalg.det(grid.affine[:3, :3])))
    return float((labels == label).sum()) * voxel / 1000 / frames


def area_mm2(labels: NDArray[Any], label: int, grid: Grid, slices: int) -> float:
    """Area of a label in the plane of the slices, the mean over ``slices`` of them and frames."""
    return volume_ml(labels, label, grid) * 1000 / grid.spacing[grid.slice_axis] / max(slices, 1)


def slices_with(labels: NDArray[Any], label: int, grid: Grid) -> int:
    """Number of slices that a label is in."""
    others = tuple(a for a in range(labels.ndim) if a != grid.slice_axis)
    return int((labels == label).any(axis=others).sum())


def centre_lps(labels: NDArray[Any], label: int, grid: Grid) -> NDArray[np.float64]:
    """Mean position of a label's voxels, LPS mm: (3,); NaN without any."""
    voxels = _voxels(labels, label)
    if not len(voxels):
        return np.full(3, np.nan)
    return RAS_TO_LPS * (grid.affine @ [*voxels.mean(0), 1.0])[:3]


def covariance_mm2(
    labels: NDArray[Any], label: int, grid: Grid, axes: tuple[int, ...]
) -> NDArray[np.float64]:
    """Second moments of a label about its centre along some voxel axes, mm^2; NaN without any.

    In the plane of slices, they are about each slice's own centre.
    """
    voxels = _voxels(labels, label).astype(np.float64)
    if not len(voxels):
        return np.full((len(axes), len(axes)), np.nan)
    chosen = voxels[:, list(axes)] * [grid.spacing[a] for a in axes]
    if len(axes) == 2:
        slices = voxels[:, next(a for a in range(3) if a not in axes)].astype(int)
        sums = np.stack([np.bincount(slices, chosen[:, i]) for i in range(2)], 1)
        counts = np.bincount(slices).clip(min=1)
        chosen = chosen - (sums / counts[:, None])[slices]
    else:
        chosen = chosen - chosen.mean(0)
    moments = chosen.T @ chosen / len(chosen)
    # each voxel is a box, not a point
    return np.asarray(moments + np.diag([grid.spacing[a] ** 2 / 12 for a in axes]))


def elongation_of(labels: NDArray[Any], label: int, grid: Grid, axes: tuple[int, ...]) -> float:
    """Logarithm of a label's longest by its shortest axis along some voxel axes; 0 without it."""
    moments = covariance_mm2(labels, label, grid, axes)
    squares = np.linalg.eigvalsh(moments) if np.isfinite(moments).all() else np.ones(2)
    return float(np.log(squares[-1] / squares[0]) / 2)


def thickness_mm(
    labels: NDArray[Any], wall: int, inner: int, grid: Grid, axis: int | None
) -> float:
    """Thickness of a wall, mm: mean distance from its outer rim to what it encloses.

    In 3D over the surface; along a slice axis, the mean over the slices that have both, each
    weighed by the wall's number of voxels there.
    """
    frames = labels[..., None] if labels.ndim == 3 else labels
    spacing = grid.spacing
    planes = [frames[..., t] for t in range(frames.shape[3])]
    if axis is not None:
        planes = [p for whole in planes for p in np.moveaxis(whole, axis, 0)]
        spacing = tuple(s for a, s in enumerate(spacing) if a != axis)  # type: ignore[assignment]
    found = [_thickness(plane, wall, inner, spacing) for plane in planes]
    weights = np.array([weight for _, weight in found])
    if not weights.sum():
        return float("nan")
    return float(np.average([mm for mm, _ in found], weights=weights))


def enclosed_label(labels: NDArray[Any], wall: int, axis: int | None) -> int | None:
    """The label that a wall encloses, in the plane of the slices along an axis; None without."""
    first = labels[..., 0] if labels.ndim == 4 else labels
    planes = (
        [first] if axis is None else [p for p in np.moveaxis(first, axis, 0) if (p == wall).any()]
    )
    best: dict[int, float] = {}
    for value in sorted({int(v) for v in np.unique(first)} - {0, wall}):
        shares = [enclosed_share(p == value, p == wall) for p in planes if (p == value).any()]
        if shares and float(np.median(shares)) >= _ENCLOSED:
            best[value] = float(np.median(shares))
    return max(best, key=lambda v: best[v]) if best else None


def _thickness(
    plane: NDArray[Any], wall: int, inner: int, spacing: tuple[float, ...]
) -> tuple[float, float]:
    """Thickness in one plane or volume, and the wall's number of voxels; 0 and 0 without both."""
    both = np.argwhere((plane == wall) | (plane == inner))
    if not len(both):
        return 0.0, 0.0
    low, high = np.maximum(both.min(0) - 2, 0), both.max(0) + 3
    box = plane[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    mm, _ = wall_thickness(box == wall, box == inner, spacing)
    return (0.0, 0.0) if np.isnan(mm) else (mm, float((box == wall).sum()))


def _voxels(labels: NDArray[Any], label: int) -> NDArray[np.int64]:
    """Positions (N, 3) of a label's voxels, over all frames."""
    return np.argwhere(labels == label)[:, :3]
