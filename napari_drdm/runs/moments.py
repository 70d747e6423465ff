"""One moment of one run, ready to be shown: arrays in the layers' order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import LayerCase

if TYPE_CHECKING:
    from napari_drdm.runs.requests import RunOutcome, RunRequest
    from src_core.inspection.part_view import Part
    from src_core.inspection.trajectory import Trajectory, TrajectoryPoint

__all__ = ["Moment", "moment_of_outcome"]

_Layer = TypeVar("_Layer")


@dataclass(frozen=True, eq=False)
class Moment:
    """What a moment shows.

    Attributes:
        request: what was asked for.
        layer_case: the case, and the way back to its layers.
        position: 0 is the random field, ``total`` the recovered one, between steps by velocity.
        total: steps of the run.
        images: warped, as layers show them, in the layers' order.
        labels: the same.
        displacement: (X, Y, Z, 3), LPS mm, new(x) = source(x + u(x)); None in a quick preview.
        jacobian: (X, Y, Z), determinant; None in a quick preview.
        inverse: like ``displacement``; of finished runs only.
        outcome: the finished result, None while a run is under way or scrubbed through.
        part: what of images and labels is up to date; None for all.
        numbers: the moment in figures; None where they were not asked for.
        trace: the run's steps, once it is through.
    """

    request: RunRequest
    layer_case: LayerCase
    position: float
    total: int
    images: tuple[NDArray[Any], ...]
    labels: tuple[NDArray[Any], ...]
    displacement: NDArray[np.float32] | None = None
    jacobian: NDArray[np.float32] | None = None
    inverse: NDArray[np.float32] | None = None
    outcome: RunOutcome | None = None
    part: Part | None = None
    numbers: TrajectoryPoint | None = None
    trace: Trajectory | None = None

    @property
    def spatial_axes(self) -> int:
        """How many of the layer's axes are spatial."""
        return 2 if self.layer_case.plane else 3

    def source_layers(self, kind: type[_Layer]) -> list[_Layer]:
        """The user's layers of a type that went in, in the order of the case."""
        request = self.request
        layers = (request.source, request.labels, *request.extras)
        return [layer for layer in layers if isinstance(layer, kind)]

    def field(self) -> NDArray[np.float32]:
        """The displacement, where it is needed: (X, Y, Z, 3), LPS mm."""
        if self.displacement is None:
            raise ValueError("Moment.field() 'displacement' must be an array, got None")
        return self.displacement


def moment_of_outcome(outcome: RunOutcome, trace: Trajectory | None = None) -> Moment:
    """The moment of a finished run."""
    result, layer_case = outcome.result, outcome.layer_case
    total = result.metrics["steps"] if result.metrics["level"] else 0
    return Moment(
        outcome.request,
        layer_case,
        total,
        total,
        layer_case.layer_images(result.case.images),
        tuple(layer_case.back(labels.data) for labels in result.case.labels),
        result.displacement,
        result.jacobian,
        result.inverse,
        outcome,
        trace=trace,
        numbers=_numbers(result.metrics, total) if total else None,
    )


def _numbers(metrics: Mapping[str, Any], total: int) -> TrajectoryPoint:
    """Those of the result itself, after the guard and on the case's own grid."""
    from src_core.inspection.trajectory import TrajectoryPoint

    return TrajectoryPoint(total, metrics["max_mm"], metrics["min_det"], 0.0)
