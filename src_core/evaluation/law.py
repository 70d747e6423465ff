"""The law of variety: what recovery leaves of a random field's spread in one mode of shape.

``spread = sigma_T (s / sqrt(s^2 + sigma_T^2))^r``: sigma_T is the spread of the random field, s
that of training images, given all else that they show, r the model's redundancy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import hypot, isfinite, nan, sqrt
from pathlib import Path
from typing import Any

from src_core.errors import InputError

__all__ = ["forecast_spread", "inferred_spread", "law_table", "read_training_spreads"]


def forecast_spread(sigma: float, s: float, redundancy: float = 1.0) -> float:
    """Spread after recovery, in the unit of both spreads; NaN where one is unknown."""
    if not (isfinite(sigma) and isfinite(s)) or sigma <= 0:
        return nan
    return float(sigma * (s / hypot(s, sigma)) ** redundancy)


def inferred_spread(sigma: float, measured: float, redundancy: float = 1.0) -> float:
    """The s at which the law gives a measured spread.

    Returns:
        NaN where one is unknown, or recovery left as much as it found.
    """
    if not (isfinite(sigma) and isfinite(measured)) or not 0 <= measured < sigma:
        return nan
    factor = (measured / sigma) ** (1 / redundancy)
    return float(sigma * factor / sqrt(1 - factor**2))


def law_table(
    spread: Sequence[Mapping[str, Any]], redundancy: float, training: Mapping[str, float]
) -> list[dict[str, Any]]:
    """A line for each level and measure that both rows, random and recovered, have.

    Args:
        spread: lines of the coverage's ``spread``.
        redundancy: of the model.
        training: measure -> s in training, for those that are known.

    Returns:
        ``sigma_T`` and ``measured``, the spreads over seeds of the two rows; ``kept``, their ratio;
        ``s`` by the law; ``training`` and ``forecast``; ``real`` subjects' spread, and
        ``offered``, sigma_T by that.
    """
    known = {(line["row"], line["level"], line["measure"]): line for line in spread}
    table = []
    for (row, level, measure), line in known.items():
        random = known.get(("random", level, measure))
        if row != "recovered" or random is None:
            continue
        sigma, measured = random["within_source"], line["within_source"]
        given, real = training.get(measure, nan), line["real"]
        table.append(
            {
                **{name: line[name] for name in ("level", "measure", "kind", "unit")},
                "sigma_T": sigma,
                "measured": measured,
                "kept": measured / sigma if sigma > 0 else nan,
                "s": inferred_spread(sigma, measured, redundancy),
                "training": given,
                "forecast": forecast_spread(sigma, given, redundancy),
                "real": real,
                "offered": sigma / real if real > 0 else nan,
            }
        )
    return table


def read_training_spreads(path: Path, names: Sequence[str]) -> dict[str, float]:
    """A JSON object of measures and their spreads in training images.

    Args:
        path: of the file.
        names: of the measures that an evaluation has.

    Raises:
        InputError: it is no such file, or names another measure.
    """
    wanted = "a JSON object of measure and spread, with measures of: " + ", ".join(names)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        spreads = {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "the training spreads cannot be read", where=str(path), expected=wanted
        ) from error
    wrong = [n for n, value in spreads.items() if n not in names or not 0 <= value < float("inf")]
    if wrong:
        raise InputError(f"{wrong[0]} is not possible", where=str(path), expected=wanted)
    return spreads
