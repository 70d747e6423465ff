"""Shape measures of a label map, in the words and units of targets: ``volume 3``, ``thickness 2``.

They are measured as targets are, on the voxels of the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.steering.label_measures import (
    area_mm2,
    elongation_of,
    enclosed_label,
    slices_with,
    thickness_mm,
    volume_ml,
)

__all__ = ["measured_shapes", "shape_names", "slice_axis_of", "walls_of"]


def slice_axis_of(grid: Grid, ndim: int) -> int | None:
    """The slice axis of a case with a model of 2 axes; None with one of 3."""
    return None if ndim == 3 else grid.slice_axis


def walls_of(case: Case, ndim: int) -> dict[int, int]:
    """Labels that are walls -> the label that each encloses."""
    labels = case.label_map
    if labels is None:
        return {}
    axis = slice_axis_of(case.grid, ndim)
    found = {v: enclosed_label(labels, v, axis) for v in _values(labels)}
    return {wall: inner for wall, inner in found.items() if inner is not None}


def shape_names(labels: Iterable[int], walls: Mapping[int, int]) -> list[str]:
    """The size of each label, and the thickness of each wall."""
    return [*(f"volume {v}" for v in labels), *(f"thickness {v}" for v in sorted(walls))]


def measured_shapes(
    case: Case, names: Iterable[str], walls: Mapping[int, int], ndim: int
) -> dict[str, float]:
    """Values of measures: ml, mm2, mm or a ratio; NaN where a label is absent, or unknown.

    Args:
        case: with labels; volumes of a cine are means over its frames.
        names: measures in the words of targets.
        walls: wall -> the label that it encloses.
        ndim: axes of the model.
    """
    labels = case.label_map
    if labels is None:
        return dict.fromkeys(names, nan)
    return {name: _measured(name, labels, case.grid, walls, ndim) for name in names}


def _measured(
    name: str, labels: NDArray[Any], grid: Grid, walls: Mapping[int, int], ndim: int
) -> float:
    kind, _, rest = name.partition(" ")
    if kind == "volume":
        return volume_ml(labels, int(rest), grid) or nan
    if kind == "area":
        return area_mm2(labels, int(rest), grid, slices_with(labels, int(rest), grid)) or nan
    if kind == "ratio":
        one, other = (volume_ml(labels, int(v), grid) for v in rest.split("/"))
        return one / other if one and other else nan
    if kind == "thickness" and int(rest) in walls:
        axis = slice_axis_of(grid, ndim)
        return thickness_mm(labels, int(rest), walls[int(rest)], grid, axis)
    if kind in ("roundness", "elongation"):
        axes = tuple(a for a in range(3) if a != slice_axis_of(grid, ndim))
        found = elongation_of(labels, int(rest), grid, axes) if (labels == int(rest)).any() else nan
        return exp(-found) if kind == "roundness" else found
    return nan


def _values(labels: NDArray[Any]) -> list[int]:
    return sorted({int(v) for v in np.unique(labels)} - {0})
