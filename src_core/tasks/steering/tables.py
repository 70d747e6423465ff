"""How well targets were reached, and what reached them beside deformations that moved as much.

Values of one subject are not independent, nor are those of one seed: intervals draw both with
replacement (``experiments.statistics.crossed_weights``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.rows import ellipse_means
from src_core.experiments.groups import groups_of, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import (
    crossed_weights,
    finite_mean,
    interval,
    resampled_means,
)
from src_core.tasks.steering.measure import PLAIN

__all__ = ["ALL", "matches", "plausibility_rows", "reach_rows"]

#: The row of all sets together.
ALL = "all"
_RESAMPLES = 10_000
#: Measures that are shares of what was asked; the others are in mm or have no unit.
_RELATIVE = ("volume", "area", "ratio")
_SIZES = ("volume", "area")
#: What was asked has to vary by this share for a correlation.
_VARIES = 0.02
Array = NDArray[np.float64]


def reach_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """A line for each set of targets, one for all sizes, and one for all.

    ``r`` is the correlation of what was asked and got over runs, where that varies; of all sizes,
    of the logarithms of factors. ``error`` is the median, % of what was asked for
    sizes and ratios, else in the unit.
    """
    steered = [r for r in records if r["target"] != PLAIN]
    lines = [_reached(words, g.records) for (words,), g in groups_of(steered, ["target"]).items()]
    sizes = [r for r in steered if str(r["target"]).split(" ")[0] in ("volume", "area")]
    if sizes:
        lines.append({**_reached("all sizes", sizes), "r": _factor_correlation(sizes)})
    whole = {**_reached(ALL, steered), "r": nan, "error": nan} if steered else {}
    return [*lines, whole] if whole else lines


def matches(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Each run with targets, and the run of its case without any that changed labels as much.

    That is the nearest by the logarithms of the mean displacement within labels and of the size of
    each label: agreement and shapes depend on how large an anatomy is.
    """
    plain: dict[str, list[Record]] = {}
    for record in records:
        if record["target"] == PLAIN and np.isfinite(_changes(record)).all():
            plain.setdefault(record.case, []).append(record)
    pairs = []
    for record in records:
        own = _changes(record)
        if record["target"] == PLAIN or record.case not in plain or not np.isfinite(own).all():
            continue
        apart = [float(np.linalg.norm(_changes(other) - own)) for other in plain[record.case]]
        pairs.append((record, plain[record.case][int(np.argmin(apart))]))
    return pairs


def plausibility_rows(pairs: Sequence[tuple[Record, Record]]) -> list[dict[str, Any]]:
    """A line for each set of targets and measure, and for all sets: steered less unsteered.

    ``change`` and ``size`` are the ratios of how far labels moved and of their sizes, as
    logarithms; near 0 where the comparison is of equals.
    """
    lines = []
    names = list(dict.fromkeys(str(one["target"]) for one, _ in pairs))
    for words in [*names, ALL] if names else []:
        some = [p for p in pairs if words in (ALL, p[0]["target"])]
        subjects, seeds = [one.subject for one, _ in some], [one["seed"] for one, _ in some]
        weights = crossed_weights(subjects, seeds, resamples=_RESAMPLES)
        for name, values in _measures(some).items():
            difference = values([one for one, _ in some]) - values([two for _, two in some])
            if not np.isfinite(difference).any():
                continue
            low, high = interval(resampled_means(difference, weights))
            line = {"target": words, "measure": name, "difference": finite_mean(difference)}
            lines.append(
                {**line, "low": low, "high": high, "n": int(np.isfinite(difference).sum())}
            )
    return lines


def _measures(
    pairs: Sequence[tuple[Record, Record]],
) -> dict[str, Callable[[Sequence[Record]], Array]]:
    """Measures of plausibility that the records have, by name."""

    def of(name: str) -> Callable[[Sequence[Record]], Array]:
        return lambda records: values_of(records, name)

    known = [name for name in pairs[0][0].figures] if pairs else []
    found: dict[str, Callable[[Sequence[Record]], Array]] = {"agreement": of("agreement")}
    found["ellipse"] = ellipse_means
    found |= {n: of(n) for n in known if n.startswith("unevenness")}
    found["nearest"] = of("nearest")
    found["change"] = lambda records: np.array([_changes(r)[0] for r in records])
    if any(name.split(" ")[0] in _SIZES for name in known):
        found["size"] = _mean_log_size
    return found


def _changes(record: Record) -> Array:
    """Logarithms of how far labels moved, and of their sizes; NaN where one is absent."""
    figures = record.figures
    values = [figures["change"], *(v for n, v in figures.items() if n.split(" ")[0] in _SIZES)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.asarray(values, dtype=np.float64))


def _mean_log_size(records: Sequence[Record]) -> Array:
    return np.array([_changes(record)[1:].mean() for record in records])


def _reached(words: str, records: Sequence[Record]) -> dict[str, Any]:
    asked, got, error = (values_of(records, n) for n in ("asked", "got", "error"))
    relative = words.split(" ")[0] in _RELATIVE or words == "all sizes"
    return {
        "target": words,
        "runs": len(records),
        "r": _correlation(asked, got),
        "error": float(np.nanmedian(100 * error / asked if relative else error)),
        "error_unit": "%" if relative else "",
        "within": finite_mean(values_of(records, "within")),
        "reached": finite_mean(values_of(records, "reached")),
        "folds": float(np.nanmax(values_of(records, "strict"))),
        "guard_scale": float(np.nanmin(values_of(records, "guard_scale"))),
        "guard_unused": finite_mean(values_of(records, "guard_scale") >= 1),
        "draws_rms": finite_mean(values_of(records, "draws_rms")),
        "draws_rms_most": float(np.nanmax(values_of(records, "draws_rms"))),
        "distance": finite_mean(values_of(records, "distance")),
        "seconds": float(np.nanmedian(values_of(records, "seconds"))),
    }


def _correlation(asked: Array, got: Array) -> float:
    """NaN where what was asked does not vary."""
    known = np.isfinite(asked) & np.isfinite(got)
    if known.sum() < 3 or np.ptp(asked[known]) < _VARIES * np.abs(asked[known]).max():
        return nan
    return float(np.corrcoef(asked[known], got[known])[0, 1])


def _factor_correlation(records: Sequence[Record]) -> float:
    asked, got, before = (values_of(records, n) for n in ("asked", "got", "before"))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _correlation(np.log(asked / before), np.log(got / before))
