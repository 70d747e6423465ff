"""The numbers of ``metrics.json``: how far, how safe, and what it did to the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.fields.inverse_of_saved import InverseField
from src_core.fields.label_changes import label_metrics
from src_core.fields.measures import FieldMeasures, lengths
from src_core.fields.planes import Field
from src_core.generation.model_view import ModelView

__all__ = ["displacement_metrics", "longest_side", "measure"]


def measure(
    view: ModelView,
    field: Field,
    found: FieldMeasures,
    backward: InverseField,
    warped: Case,
    guard_scale: float,
    jacobian: NDArray[np.float32],
) -> dict[str, Any]:
    """All metrics of a generated case but those that only repeat its options.

    Those of the displacement are the deformation's own, without a pose; those of labels are of the
    whole map, whose determinant ``jacobian`` is.
    """
    return {
        **displacement_metrics(field, longest_side(view)),
        "folding_permille": found.folding_permille,
        "strict_folding_permille": found.proof.strict_folding_permille,
        "min_det": found.proof.min_det,
        "max_det": float(found.jacobian.max()),
        "certified": found.proof.certified,
        "guard_scale": guard_scale,
        **backward.metrics,
        **label_metrics(view.case, warped, jacobian),
    }


def longest_side(view: ModelView) -> float:
    """Longer in-plane side of a case (longest side in 3D), mm."""
    return max(n * s for n, s in zip(view.fit.shape, view.fit.spacing, strict=True))


def displacement_metrics(field: Field, side: float) -> dict[str, float]:
    """Largest and mean length of a field (X, Y, Z, 3) in mm, and in % of a side in mm."""
    largest, mean = lengths(field)
    return {
        "max_percent": 100 * largest / side,
        "mean_percent": 100 * mean / side,
        "max_mm": largest,
        "mean_mm": mean,
    }
