"""Landmarks and surfaces moved by a field, with their normals, and how far they went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid
from src_core.cases.point_set import PointSet
from src_core.fields.planes import Field
from src_core.fields.points import move_points

__all__ = ["MovedPointSet", "move_point_set", "outside_warning"]

#: Voxels; a larger error is reported.
_EXACT = 0.01


@dataclass(frozen=True, eq=False)
class MovedPointSet:
    """A point set after a deformation.

    Attributes:
        points: at their new places, to be written as the file they came from.
        metrics: ``count``; ``outside``, how many lie beyond the field; ``max_mm`` and ``mean_mm``,
            how far they went; ``error_voxels``, the largest.
    """

    points: PointSet
    metrics: dict[str, Any]


def move_point_set(
    points: PointSet,
    field: Field,
    grid: Grid,
    *,
    inverse: bool = False,
    pose: NDArray[np.float64] | None = None,
) -> MovedPointSet:
    """What ``move_points`` does, for the points of a file."""
    moved = move_points(points.positions, field, grid, inverse=inverse, pose=pose)
    length = np.linalg.norm(moved.positions - points.positions, axis=1)
    metrics = {
        "count": len(length),
        "outside": int(moved.outside.sum()),
        "max_mm": float(length.max()),
        "mean_mm": float(length.mean()),
        "error_voxels": float(moved.error_voxels.max()),
    }
    normals = _turned(points.normals, moved.jacobian, inverse)
    return MovedPointSet(points.moved(moved.positions, normals), metrics)


def outside_warning(name: str, metrics: dict[str, Any]) -> str:
    """One line on points that the field has no data for, else ''."""
    lines = []
    if metrics["outside"]:
        lines.append(
            f"{metrics['outside']} of {metrics['count']} points of {name} lie outside the field: "
            "they moved as its border does"
        )
    if metrics["error_voxels"] > _EXACT:
        lines.append(
            f"points of {name} are up to {metrics['error_voxels']:.2g} voxel off: the field folds"
        )
    return "; ".join(lines)


def _turned(
    normals: NDArray[np.float64] | None, jacobian: NDArray[np.float64], inverse: bool
) -> NDArray[np.float64] | None:
    """Normals go by the inverse transpose of the derivative of what moved their points."""
    if normals is None:
        return None
    matrices = np.linalg.pinv(jacobian) if inverse else jacobian
    turned = np.einsum("nji,nj->ni", matrices, normals)
    size = np.linalg.norm(turned, axis=1, keepdims=True)
    return np.divide(turned, size, out=np.zeros_like(turned), where=size > 0)
