"""Landmarks and surfaces that a verb takes along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src_core.cli.report import tell

if TYPE_CHECKING:
    from src_core.cases.point_set import Axes, PointSet

__all__ = ["point_sets", "warn_of_points"]


def point_sets(
    points: Sequence[Path] | None, surfaces: Sequence[Path] | None, axes: Axes | None
) -> list[PointSet]:
    """What was given as landmarks, then what as surfaces, in that order.

    Raises:
        InputError: a file cannot be used.
    """
    from src_core.io.points import read_points

    found = [read_points(path, axes, "points") for path in points or ()]
    return [*found, *(read_points(path, axes, "surface") for path in surfaces or ())]


def warn_of_points(metrics: dict[str, Any]) -> None:
    """A line on stderr for each file with points outside the field."""
    from src_core.fields.point_sets import outside_warning

    for name, own in metrics.get("points", {}).items():
        if warning := outside_warning(name, own):
            tell(f"warning: {warning}")
