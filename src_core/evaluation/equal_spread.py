"""Rows of the same spread as the recovered one: no network and elastic.

The spread is the mean, over labels, of the standard deviation over the seeds of the logarithm of a
label's size. One factor for all seeds of a case, on the random velocity or on the elastic row's
displacement, is searched so that the row's spread equals the recovered one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.bspline_field import elastic_ddf
from src_core.diffusion.random_field import generator
from src_core.evaluation.anatomy import LEAST_VOXELS, Anatomy
from src_core.evaluation.cases import EvaluatedCase
from src_core.evaluation.field_rows import ELASTIC_STREAM, Comparison, RowField
from src_core.evaluation.levels import Level, drawn_level
from src_core.evaluation.options import EQUAL_SPREAD_ROWS
from src_core.experiments.records import Record
from src_core.experiments.statistics import finite_mean
from src_core.generation.session import start_flow

__all__ = ["equal_spread_fields", "matching_factor", "size_spread"]

_TOLERANCE = 0.02
_TRIES = 8
#: Largest factors: twice the model's integration time, four times the recovered mean displacement.
_NO_NETWORK, _ELASTIC = EQUAL_SPREAD_ROWS
_MOST = {_NO_NETWORK: 2.0, _ELASTIC: 4.0}


def equal_spread_fields(
    comparison: Comparison, case: EvaluatedCase, level: Level, recovered: Sequence[Record]
) -> Iterator[tuple[int, RowField]]:
    """Seed and field of each row of equal spread that the plan has.

    Args:
        recovered: records of this case and level, one for each seed.

    Yields:
        Fields whose figure ``factor`` is the same for all seeds; none where the labels of the
        recovered row have no spread.
    """
    anatomy = comparison.anatomy
    target = size_spread([r.figures for r in recovered], anatomy)
    for row in (r for r in comparison.plan.rows if r in EQUAL_SPREAD_ROWS):
        if not isfinite(target) or target <= 0:
            return
        scaled = [_scaled(row, comparison, case, level, record) for record in recovered]

        def spread(factor: float, fields: Sequence[Callable[[float], Tensor]] = scaled) -> float:
            return size_spread([_sizes(case, field(factor)) for field in fields], anatomy)

        factor = matching_factor(spread, target, _MOST[row])
        for record, field in zip(recovered, scaled, strict=True):
            figures = {"factor": factor}
            yield record["seed"], RowField(row, 0, field(factor), figures=figures)


def size_spread(figures: Sequence[Mapping[str, float]], anatomy: Anatomy) -> float:
    """Mean over labels of the sd over seeds (with seeds - 1) of the log of their sizes, or NaN."""
    names = _size_names(figures, anatomy)
    values = np.array([[f.get(n, nan) for n in names] for f in figures])
    values = values.reshape(len(figures), len(names))
    logs = np.log(np.where(values > 0, values, nan))
    known = (column[np.isfinite(column)] for column in logs.T)
    return finite_mean([c.std(ddof=1) if len(c) > 1 else nan for c in known])


def matching_factor(spread: Callable[[float], float], target: float, most: float) -> float:
    """The factor in 0..most at which a spread, 0 at 0, meets the target, to 2 %.

    By false position (Illinois), beginning with a factor of 1; ``most`` where it is out of reach.
    """
    low, high, below = 0.0, min(1.0, most), -target
    above = spread(high) - target
    while above < 0 and high < most:
        low, below, high = high, above, min(2 * high, most)
        above = spread(high) - target
    if not above > 0:
        return high
    for _ in range(_TRIES):
        middle = (low * above - high * below) / (above - below)
        found = spread(middle) - target
        if not isfinite(found) or abs(found) <= _TOLERANCE * target:
            return middle
        if found > 0:
            high, above, below = middle, found, below / 2
        else:
            low, below, above = middle, found, above / 2
    return middle


def _scaled(
    row: str, comparison: Comparison, case: EvaluatedCase, level: Level, record: Record
) -> Callable[[float], Tensor]:
    """The field of a row and of a record's seed, by its factor."""
    model, seed = comparison.model, record["seed"]
    flow = start_flow(model, seed, case.code, level=drawn_level(level, seed, case.code))
    if row == _NO_NETWORK:
        return lambda factor: flow.scaled(factor).displacement()
    mean = record.figures["mean"] * flow.state / 100
    source = generator(seed, case.code, ELASTIC_STREAM)
    u = elastic_ddf(flow.state, model.spec.ndim, mean, source, comparison.plan.elastic_points)
    return lambda factor: u * factor


def _sizes(case: EvaluatedCase, u: Tensor) -> dict[str, float]:
    """Voxels of each label in the warped label map, NaN below the least that count."""
    labels: NDArray[np.integer] = case.warped_labels(u)
    counts = {v: int((labels == v).sum()) for v in case.labels}
    return {f"size {v}": float(n) if n >= LEAST_VOXELS else nan for v, n in counts.items()}


def _size_names(figures: Sequence[Mapping[str, float]], anatomy: Anatomy) -> list[str]:
    known = {name for f in figures for name in f}
    kinds = ("area", "volume", "size")
    return [f"{k} {v}" for v in anatomy.labels for k in kinds if f"{k} {v}" in known]
