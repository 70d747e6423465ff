"""Shapes of generated cases against those of other real subjects, paired between rows.

A distance is Wasserstein's, in standard deviations of the reference; ``all shapes`` is its mean
over the shape measures. Rows are compared on the cases and seeds that both have, with a 95 %
interval by subjects drawn with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.options import ROWS
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import ellipse_means, samples
from src_core.experiments.groups import Group, paired, values_of
from src_core.experiments.records import Record
from src_core.experiments.statistics import (
    finite_mean,
    interval,
    resampled_distances,
    resampled_means,
    resampled_weights,
    shape_distance,
    split_half_distance,
)

__all__ = ["plausibility", "shape_names"]

_AGAINST = (*(row for row in ROWS if row != "recovered"), "undeformed")
#: Lines of ``paired`` that are no distance to real ones.
_NO_DISTANCES = ("agreement", "ellipse", "all shapes")


def shape_names(reference: Reference) -> list[str]:
    """Shape measures that vary among the real subjects."""
    return [n for n, v in reference.shapes.items() if np.nanstd(v) > 0]


def plausibility(
    groups: Sequence[Group], anatomy: Anatomy, reference: Reference | None
) -> dict[str, Any]:
    """Distances per row and level, and the recovered row against each of the others."""
    if not anatomy.labels:
        return {"told": "no labels: neither shapes nor agreement"}
    names = shape_names(reference) if reference else []
    rows = [_row(g, names, reference) for g in groups if g["row"] != "drift"]
    note = {} if reference else {"told": "no reference to compare shapes with"}
    real = {"real_against_real": _real(names, reference)} if reference else {}
    by_key = {(g["row"], g["level"] if g["row"] != "undeformed" else 0): g for g in groups}
    pairs: list[dict[str, Any]] = []
    for group in (g for g in groups if g["row"] == "recovered"):
        for row in _AGAINST:
            other = by_key.get((row, 0 if row == "undeformed" else group["level"]))
            pairs += _pairs(group, other, names, reference)
    return {**note, **real, "rows": rows, "paired": pairs, "verdicts": _verdicts(pairs)}


def _verdicts(pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for each comparison: difference of agreement, number of shapes nearer to real."""
    table = []
    for level, against in dict.fromkeys((p["level"], p["against"]) for p in pairs):
        lines = {p["measure"]: p for p in pairs if (p["level"], p["against"]) == (level, against)}
        shapes = [line for name, line in lines.items() if name not in _NO_DISTANCES]
        table.append(
            {
                "level": level,
                "against": against,
                **_interval("agreement", lines.get("agreement", {})),
                **_interval("ellipse", lines.get("ellipse", {})),
                "nearer": sum(line["difference"] < 0 for line in shapes),
                "shapes": len(shapes),
            }
        )
    return table


def _interval(name: str, line: dict[str, Any]) -> dict[str, Any]:
    """A difference and the ends of its interval, None where it was not measured."""
    parts = {name: "difference", f"{name}_low": "low", f"{name}_high": "high"}
    return {key: line.get(part) for key, part in parts.items()}


def _real(names: list[str], reference: Reference) -> dict[str, float]:
    found = {n: split_half_distance(reference.shapes[n], reference.subjects).mean for n in names}
    return {**found, "all shapes": finite_mean(list(found.values()))}


def _row(group: Group, names: list[str], reference: Reference | None) -> dict[str, Any]:
    records = samples(group)
    head = {"row": group["row"], "level": group["level"], "n": len(records)}
    distances = _distances(records, names, reference)
    return {
        **head,
        "agreement": finite_mean(values_of(records, "agreement")),
        "distances": {**distances, "all shapes": finite_mean(list(distances.values()))},
    }


def _distances(
    records: Sequence[Record], names: list[str], reference: Reference | None
) -> dict[str, float]:
    if reference is None:
        return {}
    return {n: shape_distance(values_of(records, n), reference.shapes[n]) for n in names}


def _pairs(
    group: Group, other: Group | None, names: list[str], reference: Reference | None
) -> list[dict[str, Any]]:
    if other is None:
        return []
    pairs = paired(samples(group), samples(other), by_seed=other["row"] != "undeformed")
    if not pairs:
        return []
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    weights = resampled_weights([r.subject for r in first])
    head = {"level": group["level"], "row": group["row"], "against": other["row"], "n": len(first)}
    table = []
    for name, values in (("agreement", _agreement), ("ellipse", ellipse_means)):
        difference = values(first) - values(second)
        if np.isfinite(difference).any():
            low, high = interval(resampled_means(difference, weights))
            line = {"measure": name, "difference": float(np.nanmean(difference))}
            table.append({**head, **line, "low": low, "high": high, "better": low > 0})
    if reference is not None:
        table += [{**head, **line} for line in _nearer(first, second, names, reference, weights)]
    return table


def _agreement(records: Sequence[Record]) -> NDArray[np.float64]:
    return values_of(records, "agreement")


def _nearer(
    first: Sequence[Record],
    second: Sequence[Record],
    names: list[str],
    reference: Reference,
    weights: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Differences of distances, below 0 where the first are nearer to the real ones.

    A first row of ones before the weights gives the difference of the samples themselves.
    """
    every = np.concatenate([np.ones((1, weights.shape[1])), weights])
    differences = {
        name: np.subtract(*_both(first, second, name, reference, every)) for name in names
    }
    if names:
        differences["all shapes"] = np.nanmean(np.stack(list(differences.values())), axis=0)
    table = []
    for name, values in differences.items():
        low, high = interval(values[1:])
        line = {"measure": name, "difference": float(values[0]), "low": low, "high": high}
        table.append({**line, "better": high < 0})
    return table


def _both(
    first: Sequence[Record],
    second: Sequence[Record],
    name: str,
    reference: Reference,
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    real = reference.shapes[name]
    one, other = values_of(first, name), values_of(second, name)
    return resampled_distances(one, real, weights), resampled_distances(other, real, weights)
