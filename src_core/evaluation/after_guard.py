"""Figures of a field after the guard, which checks no field twice."""

from __future__ import annotations

from torch import Tensor

from src_core.diffusion.flow import Flow
from src_core.diffusion.guard import guard
from src_core.evaluation.cases import EvaluatedCase
from src_core.evaluation.measures import displacement_percent, folding
from src_core.generation.proof import GuardCheck

__all__ = ["guard_figures"]


def guard_figures(
    case: EvaluatedCase, u: Tensor, flow: Flow, before: dict[str, float], size: int
) -> dict[str, float]:
    """Figures after the guard.

    Args:
        u: the flow's map, (1, D, *state), state voxels.
        before: ``field_figures`` of it; those after the guard too, where it changes nothing.
        size: side of the model's image.

    Returns:
        ``guard_scale``, the four figures of Table 1 with ``_after``, and ``certified``: 1 where
        every cell of the field as saved, on the case's own grid, has a determinant above the floor.
    """
    check = GuardCheck(case.view)
    if check.certifies(u):
        return {
            **{f"{k}_after": v for k, v in before.items()},
            "guard_scale": 1.0,
            "certified": 1.0,
        }
    found = guard(flow, check)
    largest, mean = displacement_percent(found.displacement[0])
    central, strict = folding(found.displacement, size)
    return {
        "max_after": largest,
        "mean_after": mean,
        "central_after": central,
        "strict_after": strict,
        "guard_scale": found.scale,
        "certified": float(check.certifies(found.displacement)),
    }
