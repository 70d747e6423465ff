"""What a window asks for, and what comes back: values that pass between threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_drdm.layers.cases import LayerCase, Snapshot

if TYPE_CHECKING:
    from src_core.generation import Options, Result
    from src_core.inspection.part_view import Part
    from src_core.inspection.trajectory import Trajectory

__all__ = ["Failure", "RunOutcome", "RunProgress", "RunRequest", "Viewed"]


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What is asked for; ``source``, ``labels`` and ``extras`` are the layers it came from.

    Attributes:
        serial: tells requests apart; what comes of one carries its number.
    """

    snapshot: Snapshot
    model: Path
    options: Options
    source: Any = None
    labels: Any = None
    extras: tuple[Any, ...] = ()
    device: str = "auto"
    serial: int = 0

    def same_random_field(self, other: RunRequest) -> bool:
        """Whether both start from the same random field of the same layers."""
        return self._same_but(other, {"steps": None, "variety": None})

    def same_but_targets(self, other: RunRequest) -> bool:
        """Whether both ask for the same of the same layers, with other targets or the same."""
        return self._same_but(other, {"targets": ()})

    def _same_but(self, other: RunRequest, options: dict[str, Any]) -> bool:
        mine, theirs = (
            (
                *(x.source, x.labels, x.extras, x.snapshot.spacing, x.model),
                x.options.model_copy(update=options),
            )
            for x in (self, other)
        )
        return mine == theirs


@dataclass
class Viewed:
    """What the viewer shows now; changed on the main thread, read by the computation.

    Attributes:
        part: the voxels on view, None for all.
        field: whether an overlay needs the displacement.
        pause: seconds from one moment of a run to the next that is shown: the time to draw one.
    """

    part: Part | None = None
    field: bool = False
    pause: float = 0.3


@dataclass(frozen=True, eq=False)
class RunProgress:
    """Step ``index`` of ``total`` is done, on ``device``; ``doing`` names what is not a step.

    Attributes:
        trace: the steps so far.
        left: seconds until the run is over, with all that follows the steps; None: unknown.
    """

    index: int
    total: int
    device: str
    doing: str = ""
    trace: Trajectory | None = None
    left: float | None = None


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """A finished request."""

    request: RunRequest
    layer_case: LayerCase
    result: Result


@dataclass(frozen=True)
class Failure:
    """Why there is no result, in one line."""

    message: str
