"""Any displacement field on any case: ``new(x) = image(x + d(x))`` in world coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.tiles import parts
from src_core.errors import InputError
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.measures import field_measures
from src_core.fields.sampling import inside, positions, sample
from src_core.fields.saved import SavedField
from src_core.fields.warp_case import Field, in_plane_axis, warp_case
from src_core.fields.warp_frames import frame_of, warp_frames
from src_core.generation.metrics import label_metrics
from src_core.generation.save import save_case, write_json
from src_core.io import write_field, write_field_series, write_scalar

__all__ = [
    "Applied",
    "apply_field",
    "apply_series",
    "covered_percent",
    "jacobian_map",
    "move_case",
    "on_grid",
]


def on_grid(field: Field, source: Grid, target: Grid) -> Field:
    """A field at the voxels of another grid, linear; zero beyond its own, as ITK has it.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``source``.

    Returns:
        (X', Y', Z', 3), LPS mm, on ``target``.
    """
    if source.shape == target.shape and source.distance_mm(target) < 1e-4 * min(target.spacing):
        return field
    moved = np.empty((*target.shape, 3), np.float32)
    values = torch.from_numpy(np.moveaxis(field, -1, 0)[None].astype(np.float64))
    for part in parts(target.shape, 2):
        at = _positions(source, target, part)
        within = inside(at, source.shape)[:, None]
        found = torch.where(within, sample(values, at), 0.0)
        moved[:, :, part] = np.moveaxis(found[0].numpy(), 0, -1)
    return moved


def covered_percent(source: Grid, target: Grid) -> float:
    """How much of a grid's voxels lie inside another grid, %."""
    counts = [
        int(inside(_positions(source, target, part), source.shape).sum())
        for part in parts(target.shape, 2)
    ]
    return 100 * sum(counts) / math.prod(target.shape)


def _positions(source: Grid, target: Grid, part: slice) -> torch.Tensor:
    """Slices of ``target`` in voxels of ``source``: (1, 3, X', Y', part), float64."""
    to_source = np.linalg.inv(source.affine) @ target.affine
    x, y, z = (range(n) for n in target.shape)
    voxels = positions([x, y, z[part]], torch.zeros(1, dtype=torch.float64))
    at = torch.from_numpy(to_source[:3, :3]) @ voxels[0].flatten(1)
    return (at + torch.from_numpy(to_source[:3, 3:])).reshape(voxels.shape)


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
    return field_measures(field, grid, in_plane_axis(field, grid))[0]


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
    warped = warp_case(case, own, interpolation=interpolation, labels=label_interpolation)
    jacobian, measured = field_measures(own, case.grid, axis)
    metrics = {
        **measured,
        "inverse": inverse,
        "covered_percent": covered,
        **label_metrics(case, warped, jacobian),
    }
    return Applied(warped, own, jacobian, metrics)


def _covered(case: Case, grid: Grid) -> float:
    covered = covered_percent(grid, case.grid)
    if not covered:
        raise InputError(
            "the field lies elsewhere",
            where=case.name,
            expected="a field that overlaps the image in space",
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
) -> dict[str, Any]:
    """Move every frame of a cine by its own field, or make a series of one volume; write the files.

    Args:
        fields: (X, Y, Z, T, 3), LPS mm, on ``grid``.

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
        found.append(field_measures(displacement, case.grid, axis))
    warped = warp_frames(case, own, interpolation=interpolation, labels=label_interpolation)
    longest = [measured["max_mm"] for _, measured in found]
    peak = int(np.argmax(longest))
    jacobian, measured = found[peak]
    metrics = {
        **measured,
        "min_det": min(each["min_det"] for _, each in found),
        "frame_max_mm": longest,
        "inverse": inverse,
        "covered_percent": covered,
        **label_metrics(frame_of(case, peak), frame_of(warped, peak), jacobian),
    }
    save_case(warped, place, case)
    write_field_series(place / "displacement.nii.gz", np.stack(own, axis=3), case.grid)
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
) -> dict[str, Any]:
    """Move a case as ``move_case`` does and write the files; returns the metrics.

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
    save_case(moved.case, place, case)
    write_field(place / "displacement.nii.gz", moved.displacement, case.grid)
    write_scalar(place / "jacobian.nii.gz", moved.jacobian, case.grid)
    write_json(place / "metrics.json", moved.metrics)
    return moved.metrics
