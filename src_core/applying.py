"""Any displacement field on any case: ``new(x) = image(x + d(x))`` in world coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.case import Case
from src_core.deform import Field, field_tensor, in_plane_axis, lps_field, warp_case
from src_core.errors import InputError
from src_core.fields import certify, folding_permille, invert, jacobian_determinant
from src_core.generation.metrics import displacement_metrics, label_metrics
from src_core.generation.save import save_case, write_json
from src_core.grid import Grid
from src_core.io import write_field, write_scalar
from src_core.warp import identity, inside, sample

__all__ = ["Applied", "apply_field", "covered_percent", "jacobian_map", "move_case", "on_grid"]


def on_grid(field: Field, source: Grid, target: Grid) -> Field:
    """A field at the voxels of another grid, linear; zero beyond its own, as ITK has it.

    Args:
        field: (X, Y, Z, 3), LPS mm, on ``source``.

    Returns:
        (X', Y', Z', 3), LPS mm, on ``target``.
    """
    if source.shape == target.shape and source.distance_mm(target) < 1e-4 * min(target.spacing):
        return field
    at = _positions(source, target)
    within = inside(at, source.shape)[:, None]
    values = torch.from_numpy(np.moveaxis(field, -1, 0)[None].astype(np.float64))
    found = torch.where(within, sample(values, at), 0.0)
    return np.moveaxis(found[0].numpy(), 0, -1).astype(np.float32)


def covered_percent(source: Grid, target: Grid) -> float:
    """How much of a grid's voxels lie inside another grid, %."""
    return 100 * float(inside(_positions(source, target), source.shape).double().mean())


def _positions(source: Grid, target: Grid) -> torch.Tensor:
    """The voxels of ``target`` in voxels of ``source``: (1, 3, X', Y', Z'), float64."""
    to_source = np.linalg.inv(source.affine) @ target.affine
    voxels = identity(target.shape, torch.zeros(1, dtype=torch.float64))[0].flatten(1)
    at = torch.from_numpy(to_source[:3, :3]) @ voxels + torch.from_numpy(to_source[:3, 3:])
    return at.reshape(1, 3, *target.shape)


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
    axis = in_plane_axis(field, grid)
    determinant = jacobian_determinant(field_tensor(field, grid, axis)).float().numpy()
    return determinant[0] if axis is None else np.moveaxis(determinant, 0, axis)


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
    covered = covered_percent(grid, case.grid)
    if not covered:
        raise InputError(
            "the field lies elsewhere",
            where=case.name,
            expected="a field that overlaps the image in space",
        )
    own = on_grid(field, grid, case.grid)
    axis = in_plane_axis(own, case.grid)
    if inverse:
        own = lps_field(invert(field_tensor(own, case.grid, axis)).displacement, case.grid, axis)
    u = field_tensor(own, case.grid, axis)
    warped = warp_case(case, own, interpolation=interpolation, labels=label_interpolation)
    proofs, jacobian = certify(u), jacobian_map(own, case.grid)
    metrics = {
        **displacement_metrics(own, max(n * s for n, s in zip(*_sides(case, axis), strict=True))),
        "folding_permille": float(folding_permille(u).mean()),
        "strict_folding_permille": float(np.mean([p.strict_folding_permille for p in proofs])),
        "min_det": min(p.min_det for p in proofs),
        "inverse": inverse,
        "covered_percent": covered,
        **label_metrics(case, warped, jacobian),
    }
    return Applied(warped, own, jacobian, metrics)


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


def _sides(case: Case, axis: int | None) -> tuple[list[int], list[float]]:
    keep = [a for a in range(3) if a != axis]
    return [case.grid.shape[a] for a in keep], [case.grid.spacing[a] for a in keep]
