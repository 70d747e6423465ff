"""One moment of one run, ready to be shown: arrays in the layers' order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import LayerCase, shown

if TYPE_CHECKING:
    from napari_drdm.runs.runner import Outcome, Request
    from src_core.inspection.part_view import Part
    from src_core.inspection.trajectory import Numbers, Trace

__all__ = ["Look", "of_outcome"]


@dataclass(frozen=True, eq=False)
class Look:
    """What a moment shows.

    Attributes:
        request: what was asked for.
        layer_case: the case, and the way back to its layers.
        position: 0 is the random field, ``total`` the recovered one, between steps by velocity.
        total: steps of the run.
        images: warped, as layers show them, in the layers' order.
        labels: the same.
        displacement: (X, Y, Z, 3), LPS mm, new(x) = source(x + u(x)); None in a quick look.
        jacobian: (X, Y, Z), determinant; None in a quick look.
        inverse: like ``displacement``; of finished runs only.
        outcome: the finished result, None while a run is under way or scrubbed through.
        part: what of images and labels is up to date; None for all.
        numbers: the moment in figures; None where they were not asked for.
        trace: the run's steps, once it is through.
    """

    request: Request
    layer_case: LayerCase
    position: float
    total: int
    images: tuple[NDArray[Any], ...]
    labels: tuple[NDArray[Any], ...]
    displacement: NDArray[np.float32] | None = None
    jacobian: NDArray[np.float32] | None = None
    inverse: NDArray[np.float32] | None = None
    outcome: Outcome | None = None
    part: Part | None = None
    numbers: Numbers | None = None
    trace: Trace | None = None


def of_outcome(outcome: Outcome, trace: Trace | None = None) -> Look:
    """The look of a finished run."""
    result, place = outcome.result, outcome.layer_case
    total = result.metrics["steps"] if result.metrics["level"] else 0
    return Look(
        outcome.request,
        place,
        total,
        total,
        tuple(place.back(shown(image)) for image in result.case.images),
        tuple(place.back(labels.data) for labels in result.case.labels),
        result.displacement,
        result.jacobian,
        result.inverse,
        outcome,
        trace=trace,
        numbers=_numbers(result.metrics, total) if total else None,
    )


def _numbers(metrics: Mapping[str, Any], total: int) -> Numbers:
    """Those of the result itself, which the guard and the case's own grid decide."""
    from src_core.inspection.trajectory import Numbers

    return Numbers(total, metrics["max_mm"], metrics["min_det"], 0.0)
