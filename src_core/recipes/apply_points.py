"""Any displacement field on landmarks and surfaces: they move as the tissue of the images does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src_core.cases.grid import Grid
from src_core.cases.point_set import PointSet
from src_core.fields.planes import Field
from src_core.generation.points import moved_by_name
from src_core.io.case_files import write_json
from src_core.io.points import write_points

__all__ = ["apply_to_points", "write_moved"]


def apply_to_points(
    points: Sequence[PointSet], field: Field, grid: Grid, place: Path, *, inverse: bool = False
) -> dict[str, Any]:
    """Move points without any image and write the files; returns the metrics.

    Args:
        points: in the space of the source image.
        field: (X, Y, Z, 3), LPS mm, or (X, Y, Z, T, 3) with one for each frame.
        grid: where it lies.
        place: the folder.
        inverse: from the new image to the source.
    """
    metrics = {"inverse": inverse, "points": write_moved(points, field, grid, place, inverse)}
    write_json(place / "metrics.json", metrics)
    return metrics


def write_moved(
    points: Sequence[PointSet], field: Field, grid: Grid, place: Path, inverse: bool
) -> dict[str, Any]:
    """Write points moved by a field, or by that of each frame; returns metrics by file."""
    moved = moved_by_name(points, field, grid, inverse=inverse)
    for name, one in moved.items():
        write_points(place / name, one.points)
    return {name: one.metrics for name, one in moved.items()}
