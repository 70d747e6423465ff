"""Spread of a shape measure: sizes and lengths by their logarithm, directions by angles.

Values of a measure are the rows of a matrix (n, k): a number for k = 1, a unit vector for k = D.
Standard deviations are taken with n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from src_core.evaluation.anatomy import MOST_PAIRED_LABELS, Anatomy
from src_core.evaluation.pose import AXES, direction_pairs

__all__ = ["KINDS", "SpreadMeasure", "angles_about", "mean_direction", "spread_measures"]

Kind = Literal["size", "wall", "ratio", "elongation", "position", "angle"]
#: Kinds of measures -> unit of their spread.
KINDS: dict[Kind, str] = {
    "size": "log",
    "wall": "log",
    "ratio": "log",
    "elongation": "log",
    "position": "mm",
    "angle": "deg",
}
_LOGARITHMS = ("size", "wall", "elongation")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class SpreadMeasure:
    """One measure whose spread is taken.

    Attributes:
        name: as tables show it.
        kind: what it measures.
        columns: names of the figures it is read from.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...]

    def values(self, figures: Sequence[Mapping[str, float]]) -> Array:
        """(n, k): logarithms of sizes and lengths, else the figures; NaN where there are none."""
        rows = [[f.get(name, nan) for name in self.columns] for f in figures]
        found = np.array(rows, dtype=np.float64).reshape(len(rows), len(self.columns))
        if self.kind in _LOGARITHMS:
            return np.log(np.where(found > 0, found, nan))
        return found

    def mean(self, values: Array) -> Array:
        """(k,): mean of the known rows; of directions the mean direction; NaN for none."""
        known = _known(values)
        if not len(known):
            return np.full(values.shape[1], nan)
        return mean_direction(known) if self.kind == "angle" else known.mean(axis=0)

    def sd(self, values: Array) -> float:
        """Standard deviation over the known rows, NaN for fewer than two.

        Of directions, root mean square of the angle to the mean direction, degrees.
        """
        known = _known(values)
        if len(known) < 2:
            return nan
        if self.kind != "angle":
            return float(known.std(axis=0, ddof=1).mean())
        turned = angles_about(known, mean_direction(known))
        return float(np.sqrt(np.square(turned).sum() / (len(known) - 1)))


def spread_measures(anatomy: Anatomy, ndim: int) -> list[SpreadMeasure]:
    """Every measure of the labels of a data set, in the order of tables."""
    size, labels, axes = "volume" if ndim == 3 else "area", anatomy.labels, AXES[:ndim]
    named: list[tuple[Kind, str]] = [("size", f"{size} {v}") for v in labels]
    named += [("wall", f"thickness {wall}") for wall, _ in anatomy.walls]
    if len(labels) <= MOST_PAIRED_LABELS:
        named += [("ratio", f"log ratio {b}/{a}") for a, b in combinations(labels, 2)]
    named += [("elongation", f"elongation {region}") for region in anatomy.regions()]
    named += [("position", f"position {v} {axis}") for v in labels for axis in axes]
    single = [SpreadMeasure(name, kind, (name,)) for kind, name in named]
    angles = [
        SpreadMeasure(f"angle {a}-{b}", "angle", tuple(f"direction {a}-{b} {x}" for x in axes))
        for a, b in direction_pairs(anatomy)
    ]
    return single + angles


def mean_direction(directions: Array) -> Array:
    """Unit vector of the sum of unit vectors (n, D); NaN where they cancel out."""
    total = directions.sum(axis=0)
    length = np.linalg.norm(total)
    return total / length if length > 1e-9 else np.full(len(total), nan)


def angles_about(directions: Array, mean: Array) -> Array:
    """Turns from a mean direction, in degrees: unit vectors (n, D), (D,) -> (n, D - 1).

    Coordinates in the plane across the mean direction, whose length is the angle to it; in 2D the
    signed angle.
    """
    if not np.isfinite(mean).all():
        return np.full((len(directions), len(mean) - 1), nan)
    along = directions @ mean
    across = directions - along[:, None] * mean
    length = np.linalg.norm(across, axis=1)
    angle = np.degrees(np.arctan2(length, along))
    # The first row of v spans the mean direction, the others the plane across it.
    plane = np.linalg.svd(mean[None])[2][1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(length > 1e-12, angle / length, 0)
    opposite = (length <= 1e-12) & (along < 0)
    turned = (across * scale[:, None]) @ plane.T
    turned[opposite] = 180 * np.eye(len(mean) - 1)[0]
    return np.asarray(turned)


def _known(values: Array) -> Array:
    return values[np.isfinite(values).all(axis=1)]
