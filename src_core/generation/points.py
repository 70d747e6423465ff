"""Landmarks and surfaces of a generated case: moved by its field, and named in its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid
from src_core.cases.point_set import PointSet
from src_core.fields.planes import Field
from src_core.fields.point_sets import MovedPointSet, move_point_set
from src_core.generation.run import Result
from src_core.generation.series import Series
from src_core.io.formats import point_ending_of
from src_core.io.hashing import sha256_array
from src_core.io.points import named_points
from src_core.models.device import fixed_threads

__all__ = ["moved_by_name", "moved_twice", "point_inputs", "with_points"]

_R = TypeVar("_R", Result, Series)


def with_points(result: _R, points: Sequence[PointSet]) -> _R:
    """A result or series with landmarks and surfaces of its source, moved as its images were.

    Metrics and recipe gain ``points``, by the names of files, so that they can be made again.

    Args:
        result: of a generation.
        points: in the space of its source.
    """
    if not points:
        return result
    drawn = result.recipe.get("drawn", {}).get("pose")
    pose = None if drawn is None else np.array(drawn["matrix_lps_mm"])
    field = result.displacements if isinstance(result, Series) else result.displacement
    moved = moved_by_name(points, field, result.case.grid, pose=pose)
    outputs = {name: sha256_array(one.points.positions) for name, one in moved.items()}
    recipe = {
        **result.recipe,
        "points": point_inputs(named_points(points)),
        "outputs": {**result.recipe["outputs"], **outputs},
    }
    metrics = {**result.metrics, "points": {name: one.metrics for name, one in moved.items()}}
    own = {name: one.points for name, one in moved.items()}
    return replace(result, points=own, metrics=metrics, recipe=recipe)


def moved_by_name(
    points: Sequence[PointSet],
    field: Field,
    grid: Grid,
    *,
    inverse: bool = False,
    pose: NDArray[np.float64] | None = None,
) -> dict[str, MovedPointSet]:
    """Points moved by a field (X, Y, Z, 3), or by that of each frame (X, Y, Z, T, 3), LPS mm.

    Returns:
        By the names of their files: ``points.csv``, ``points-2.csv``; of frame 7 of a series
        ``points-007.csv``.
    """
    fields = [field] if field.ndim == 4 else list(np.moveaxis(field, 3, 0))
    with fixed_threads():
        return {
            _of_frame(name, frame, len(fields)): move_point_set(
                one, u, grid, inverse=inverse, pose=pose
            )
            for name, one in named_points(points).items()
            for frame, u in enumerate(fields)
        }


def moved_twice(
    points: Sequence[PointSet], first: Field, second: Field, grid: Grid
) -> dict[str, MovedPointSet]:
    """Points of a source in both images of a pair: ``moving-points.csv``, ``fixed-points.csv``.

    Args:
        points: in the space of the source.
        first: (X, Y, Z, 3), LPS mm: moving(x) = source(x + first(x)).
        second: the same: fixed(x) = moving(x + second(x)).
        grid: of both.
    """
    moving = moved_by_name(points, first, grid)
    fixed = moved_by_name([one.points for one in moving.values()], second, grid)
    sides = (("moving", moving), ("fixed", fixed))
    return {f"{side}-{name}": one for side, moved in sides for name, one in moved.items()}


def point_inputs(named: Mapping[str, PointSet]) -> dict[str, Any]:
    """What a recipe has of point sets: file, axes, and SHA-256 of the positions."""
    return {
        name: {
            "path": str(one.path.resolve()) if one.path else None,
            "axes": one.axes,
            "sha256": sha256_array(one.positions),
        }
        for name, one in named.items()
    }


def _of_frame(name: str, frame: int, frames: int) -> str:
    if frames == 1:
        return name
    ending = point_ending_of(name)
    return f"{name.removesuffix(ending)}-{frame:03d}{ending}"
