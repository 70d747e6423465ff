"""Any displacement field on any case: ``new(x) = image(x + d(x))`` in world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.point_set import PointSet
from src_core.cases.synthetic import SYNTHETIC, mark_synthetic, synthetic_note
from src_core.errors import InputError
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.label_changes import label_metrics
from src_core.fields.measures import field_metrics
from src_core.fields.on_grid import covered_percent, on_grid
from src_core.fields.planes import Field, in_plane_axis
from src_core.fields.saved import SavedField
from src_core.fields.warp_case import warp_case
from src_core.fields.warp_frames import frame_of, warp_frames
from src_core.io import volume_file, write_field, write_field_series, write_scalar
from src_core.io.case_files import save_case, write_json
from src_core.recipes.apply_points import write_moved
from src_core.recipes.field_warnings import field_warnings

__all__ = [
    "Applied",
    "apply_field",
    "apply_series",
    "jacobian_map",
    "move_case",
]


@dataclass(frozen=True, eq=False)
class Applied:
    """A case moved by a field.

    Attributes:
        case: the moved images and labels.
        displacement: (X, Y, Z, 3), LPS mm, on the case's grid: the field, or its inverse.
        jacobian: (X, Y, Z), determinant of x + displacement.
        metrics: of the displacement and the labels.
    """

    case: Case
    displacement: Field
    jacobian: NDArray[np.float32]
    metrics: dict[str, Any]


def jacobian_map(field: Field, grid: Grid) -> NDArray[np.float32]:
    """Determinant (X, Y, Z) of x + u(x) by central differences; in-plane where nothing moves along.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``grid``.
    """
    return field_metrics(field, grid, in_plane_axis(field, grid))[0]


@torch.inference_mode()
def move_case(
    case: Case,
    field: Field,
    grid: Grid,
    *,
    inverse: bool = False,
    interpolation: Literal["linear", "cubic"] = "linear",
    label_interpolation: Literal["linear", "nearest"] = "linear",
) -> Applied:
    """Warp a case by a field on any grid, or by its inverse.

    Raises:
        InputError: field and image lie in different places.
    """
    covered = _covered(case, grid)
    own, axis = _own_field(case, field, grid, inverse)
    moved = warp_case(case, own, interpolation=interpolation, labels=label_interpolation)
    warped = mark_synthetic(moved)
    jacobian, measured = field_metrics(own, case.grid, axis)
    metrics = {
        **measured,
        "inverse": inverse,
        "covered_percent": covered,
        "notice": SYNTHETIC,
        **label_metrics(case, warped, jacobian),
    }
    return Applied(warped, own, jacobian, {**metrics, "warnings": field_warnings(metrics)})


def _covered(case: Case, grid: Grid) -> float:
    covered = covered_percent(grid, case.grid)
    if not covered:
        raise InputError(
            "the field does not overlap the image",
            where=case.name,
            expected="a field in the same place in space",
        )
    return covered


def _own_field(case: Case, field: Field, grid: Grid, inverse: bool) -> tuple[Field, int | None]:
    """A field, or its inverse, on the case's grid, and the axis along which nothing moves."""
    own = on_grid(field, grid, case.grid)
    axis = in_plane_axis(own, case.grid)
    return (invert_field(SavedField(own, case.grid, axis)).displacement if inverse else own), axis


def apply_series(
    case: Case,
    fields: NDArray[np.float32],
    grid: Grid,
    place: Path,
    *,
    inverse: bool = False,
    interpolation: Literal["linear", "cubic"] = "linear",
    label_interpolation: Literal["linear", "nearest"] = "linear",
    points: Sequence[PointSet] = (),
    kind: str = "lps",
) -> dict[str, Any]:
    """Move every frame of a cine by its own field, or make a series of one volume; write the files.

    Args:
        fields: (X, Y, Z, T, 3), LPS mm, on ``grid``.
        points: landmarks and surfaces, which every frame's field moves.
        kind: of the field's file, for the metrics.

    Returns:
        The metrics, at the frame that moves most; the smallest determinant is over all.

    Raises:
        InputError: another number of frames, or field and image lie in different places.
    """
    _check_frames(case, fields.shape[3])
    covered = _covered(case, grid)
    own, found = [], []
    for field in np.moveaxis(fields, 3, 0):
        displacement, axis = _own_field(case, field, grid, inverse)
        own.append(displacement)
        found.append(field_metrics(displacement, case.grid, axis))
    moved = warp_frames(case, own, interpolation=interpolation, labels=label_interpolation)
    warped = mark_synthetic(moved)
    longest = [measured["max_mm"] for _, measured in found]
    peak = int(np.argmax(longest))
    jacobian, measured = found[peak]
    metrics = {
        **measured,
        "min_det": min(each["min_det"] for _, each in found),
        "frame_max_mm": longest,
        "inverse": inverse,
        "covered_percent": covered,
        "notice": SYNTHETIC,
        **label_metrics(frame_of(case, peak), frame_of(warped, peak), jacobian),
    }
    metrics |= {"field_kind": kind, "warnings": field_warnings(metrics)}
    if points:
        metrics["points"] = write_moved(points, fields, grid, place, inverse)
    save_case(warped, place, case)
    file = place / volume_file("displacement")
    write_field_series(file, np.stack(own, axis=3), case.grid, synthetic_note())
    write_json(place / "metrics.json", metrics)
    return metrics


def _check_frames(case: Case, frames: int) -> None:
    own = sorted({v.frames for v in (*case.images, *case.labels)} - {1, frames})
    if own:
        raise InputError(
            f"the field has {frames} frames, the image {own[0]}",
            where=case.name,
            expected="a cine of as many frames, or a single volume",
        )


def apply_field(
    case: Case,
    field: Field,
    grid: Grid,
    place: Path,
    *,
    inverse: bool = False,
    interpolation: Literal["linear", "cubic"] = "linear",
    label_interpolation: Literal["linear", "nearest"] = "linear",
    points: Sequence[PointSet] = (),
    kind: str = "lps",
) -> dict[str, Any]:
    """Move a case as ``move_case`` does, and points with it; write the files; returns the metrics.

    Raises:
        InputError: field and image lie in different places.
    """
    moved = move_case(
        case,
        field,
        grid,
        inverse=inverse,
        interpolation=interpolation,
        label_interpolation=label_interpolation,
    )
    metrics = {**moved.metrics, "field_kind": kind}
    if points:
        metrics = {**metrics, "points": write_moved(points, field, grid, place, inverse)}
    save_case(moved.case, place, case)
    note, file = synthetic_note(), place / volume_file("displacement")
    write_field(file, moved.displacement, case.grid, description=note)
    write_scalar(place / volume_file("jacobian"), moved.jacobian, case.grid, note)
    write_json(place / "metrics.json", metrics)
    return metrics
