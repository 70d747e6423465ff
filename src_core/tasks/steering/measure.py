"""What is measured of one run with targets, or of one without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.manifold import IN_VECTORS, shape_vectors
from src_core.evaluation.reference import Reference
from src_core.evaluation.segmenter import Segmenter
from src_core.evaluation.spread import SpreadMeasure, spread_measures
from src_core.experiments.records import Record
from src_core.generation.options import make_options
from src_core.generation.run import Result, iterate
from src_core.steering.outcome import TargetOutcome
from src_core.steering.targets import Target
from src_core.tasks.steering.cases import SteeredCase, measured

__all__ = ["PLAIN", "Measures", "nearest_distance", "record_of"]

#: Stands for the targets of a run without any.
PLAIN = "none"
#: Metrics of a run, under the names of the tables.
_METRICS = {
    "strict": "strict_folding_permille",
    "guard_scale": "guard_scale",
    "certified": "certified",
    "mean": "mean_percent",
    "seconds": "seconds",
}
_COSTS = ("rounds", "draws_rms", "distance", "finishing_rms")


@dataclass(frozen=True, eq=False)
class Measures:
    """What shapes are measured with.

    Attributes:
        reference: real cases of other subjects; None without any.
        segmenter: None to leave agreement out.
    """

    anatomy: Anatomy
    reference: Reference | None
    segmenter: Segmenter | None

    def of(self, result: Result, model_spec: Any) -> dict[str, float]:
        """Shapes of a new case, how far its labels moved, and how near the nearest real one is."""
        figures = measured(result.case, model_spec, self.anatomy, self.segmenter)
        figures["change"] = _label_displacement(result)
        if self.reference is not None:
            used = _vector_measures(self.anatomy, model_spec.ndim)
            figures["nearest"] = nearest_distance(used, figures, self.reference)
        return figures


def record_of(
    case: SteeredCase,
    measures: Measures,
    words: str,
    targets: Sequence[Target],
    level: int,
    seed: int,
) -> Record:
    """Generate a case with targets, or without any, and measure it."""
    model = case.session.model
    options = make_options(
        model.spec.schedule.levels, level=level, seed=seed, targets=tuple(targets)
    )
    *_, result = iterate(case.case, model, options, session=case.session)
    assert isinstance(result, Result)
    figures = {name: float(result.metrics[key]) for name, key in _METRICS.items()}
    figures |= {n: float(result.metrics.get("steering", {}).get(n, np.nan)) for n in _COSTS}
    figures |= _outcome_figures(result.targets)
    figures |= measures.of(result, model.spec)
    return Record(case.name, case.subject, {"target": words, "level": level, "seed": seed}, figures)


def nearest_distance(
    used: Sequence[SpreadMeasure], figures: dict[str, float], reference: Reference
) -> float:
    """Distance of a shape to the nearest real one, by the measures' deviations over real ones.

    NaN where a measure is missing.
    """
    real = reference.figures()
    vectors = shape_vectors(used, real, real)
    known = vectors[np.isfinite(vectors).all(axis=1)]
    own = shape_vectors(used, [figures], real)
    if not len(known) or not np.isfinite(own).all():
        return float("nan")
    return float(cdist(own, known).min())


def _vector_measures(anatomy: Anatomy, ndim: int) -> list[SpreadMeasure]:
    return [m for m in spread_measures(anatomy, ndim) if m.kind in IN_VECTORS]


def _outcome_figures(outcomes: Sequence[TargetOutcome]) -> dict[str, float]:
    """Figures of the first target, and whether all are within their tolerances."""
    if not outcomes:
        return {}
    first = outcomes[0]
    return {
        "asked": first.asked,
        "got": first.got,
        "before": first.before,
        "error": first.error,
        "within": float(first.within),
        "reached": float(all(one.within for one in outcomes)),
    }


def _label_displacement(result: Result) -> float:
    """Mean displacement within the new labels, mm; NaN without any."""
    labels: NDArray[Any] | None = result.case.label_map
    assert labels is not None
    moved = result.displacement[labels > 0]
    return float(np.linalg.norm(moved, axis=-1).mean()) if len(moved) else float("nan")
