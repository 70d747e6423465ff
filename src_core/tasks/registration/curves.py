"""Training curves: loss, and figures of the validation pairs, at intervals; a file for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from src_core.experiments.files import write_json

__all__ = ["CurvePoint", "TrainingCurve", "read_curves"]

_FOLDER = "curves"


@dataclass(frozen=True)
class CurvePoint:
    """Figures of a network after a number of training steps.

    Attributes:
        method, seed: of the network.
        step: training steps so far, those of an earlier stage included.
        loss: mean since the last point; None before the first step.
        dsc, central: mean Dice over labels and pairs, and central folding in permille, of the
            validation pairs; None where there are none.
    """

    method: str
    seed: int
    step: int
    loss: float | None = None
    dsc: float | None = None
    central: float | None = None


class TrainingCurve:
    """The points of one network in the folder of a run.

    Args:
        digest: of the run; points of another are discarded.
    """

    def __init__(self, run: Path, method: str, seed: int, digest: str) -> None:
        self._path = run / _FOLDER / f"{method}-{seed}.json"
        self._head, self._digest = CurvePoint(method, seed, 0), digest
        self.points: list[CurvePoint] = []
        if self._path.is_file():
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found["digest"] == digest:
                self.points = [CurvePoint(**point) for point in found["points"]]

    def keep_until(self, step: int) -> None:
        """Discard the points of later steps."""
        self.points = [point for point in self.points if point.step <= step]

    def add(self, step: int, loss: float | None, figures: dict[str, float]) -> None:
        """Add a point; it is on the disk when this returns."""
        dsc, central = figures.get("dsc"), figures.get("central")
        self.points.append(replace(self._head, step=step, loss=loss, dsc=dsc, central=central))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        points = [asdict(point) for point in self.points]
        write_json(self._path, {"digest": self._digest, "points": points})


def read_curves(run: Path, trials: Sequence[tuple[str, int]], digest: str) -> list[CurvePoint]:
    """Points of all networks of these methods and seeds that the folder of a run holds."""
    return [
        point
        for method, seed in trials
        for point in TrainingCurve(run, method, seed, digest).points
    ]
