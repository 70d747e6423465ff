"""Precision and recall of generated anatomies: vectors of shape measures against real ones.

A vector holds sizes, wall thickness and elongation (logarithms) and directions (angles about their
real mean), each by its standard deviation over the real cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.neighbours import precision_recall
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import samples
from src_core.evaluation.spread import SpreadMeasure, angles_about, mean_direction
from src_core.experiments.groups import Group
from src_core.experiments.records import Record

__all__ = ["IN_VECTORS", "RealCases", "manifold_row", "shape_vectors"]

#: Kinds of measures in a vector; ratios follow from sizes, positions depend on how a scan was
#: centred.
IN_VECTORS = ("size", "wall", "elongation", "angle")
Figures = Mapping[str, float]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class RealCases:
    """Figures and subject of each real case: the reference and the undeformed evaluated ones."""

    figures: list[Figures]
    subjects: list[str]

    @classmethod
    def of(cls, still: Sequence[Record], reference: Reference | None) -> RealCases:
        """From the records of the undeformed row, and a reference if there is one."""
        others = reference.figures() if reference else []
        names = list(reference.subjects) if reference else []
        return cls([*others, *(r.figures for r in still)], [*names, *(r.subject for r in still)])


def manifold_row(
    group: Group, measures: Sequence[SpreadMeasure], real: RealCases, still: Sequence[Record]
) -> dict[str, Any]:
    """Precision and recall of a row, the sources left out that lack a measure themselves."""
    used = [m for m in measures if m.kind in IN_VECTORS]
    vectors = shape_vectors(used, real.figures, real.figures)
    known = _complete(vectors)
    whole = _complete(shape_vectors(used, [r.figures for r in still], real.figures))
    sources = {r.case for r, kept in zip(still, whole, strict=True) if kept}
    made = [r for r in samples(group) if r.case in sources]
    people = [s for s, k in zip(real.subjects, known, strict=True) if k]
    precision, recall = precision_recall(
        vectors[known],
        shape_vectors(used, [r.figures for r in made], real.figures),
        people,
        [r.subject for r in made],
    )
    head = {"row": group["row"], "level": group["level"], "n": len(made), "real": len(people)}
    return {**head, "precision": precision, "recall": recall}


def shape_vectors(
    measures: Sequence[SpreadMeasure], figures: Sequence[Figures], real: Sequence[Figures]
) -> Array:
    """(n, d) standardised by the real cases, NaN where a measure is missing.

    A measure that does not vary among the real cases is left out.
    """
    columns = [np.empty((len(figures), 0))]
    for measure in measures:
        values, of_real = _coordinates(measure, figures, real)
        known = of_real[np.isfinite(of_real).all(axis=1)]
        if len(known) > 1 and (deviation := known.std(axis=0, ddof=1)).min() > 0:
            columns.append((values - known.mean(axis=0)) / deviation)
    return np.concatenate(columns, axis=1)


def _complete(vectors: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(vectors).all(axis=1))


def _coordinates(
    measure: SpreadMeasure, figures: Sequence[Figures], real: Sequence[Figures]
) -> tuple[Array, Array]:
    """Values of a measure, directions as angles about the real mean."""
    values, of_real = measure.values(figures), measure.values(real)
    if measure.kind != "angle":
        return values, of_real
    known = of_real[np.isfinite(of_real).all(axis=1)]
    mean = mean_direction(known) if len(known) else np.full(of_real.shape[1], np.nan)
    return angles_about(values, mean), angles_about(of_real, mean)
