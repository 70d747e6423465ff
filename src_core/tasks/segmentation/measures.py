"""Segmentation measures of a test case, in 3D, on the network's pixels.

Of each label, and their means: DSC, sensitivity, precision, the symmetric average surface distance
(ASD) in mm, and whether the label was missed altogether. A label that the truth lacks has none; a
label that is missed has 0, 0, 0 and no distance. What lies outside the crop counts as not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["MEASURES", "LabelCount", "count_labels", "figures_of", "surface_distance"]

MEASURES = ("dsc", "sensitivity", "precision", "asd", "missed")
#: Digits of a distance that are kept.
_DIGITS = 3
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class LabelCount:
    """A label in a case.

    Attributes:
        both: voxels that have it in truth and in the segmentation; ``found`` and ``true`` those of
            each.
        asd: average surface distance in mm, NaN where one of them lacks the label.
    """

    both: int
    found: int
    true: int
    asd: float

    def figures(self) -> dict[str, float]:
        """The measures, NaN where the truth lacks the label."""
        if not self.true:
            return dict.fromkeys(MEASURES, nan)
        return {
            "dsc": 2 * self.both / (self.found + self.true),
            "sensitivity": self.both / self.true,
            "precision": self.both / self.found if self.found else 0.0,
            "asd": self.asd,
            "missed": float(not self.found),
        }


def count_labels(
    predicted: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    labels: int,
    spacing: tuple[float, float, float],
    beyond: Sequence[int] | None = None,
) -> list[LabelCount]:
    """Counts of each label of a case.

    Args:
        predicted, truth: classes (Z, n, n), index into background and labels.
        labels: their number, without background.
        spacing: mm along the three axes.
        beyond: voxels of each label outside the crop.
    """
    found = []
    for label in range(1, labels + 1):
        one, other = predicted == label, truth == label
        both, true = int((one & other).sum()), int(other.sum())
        asd = surface_distance(one, other, spacing)
        true += beyond[label - 1] if beyond else 0
        found.append(LabelCount(both, int(one.sum()), true, asd))
    return found


def figures_of(counts: Sequence[LabelCount], labels: Sequence[int]) -> dict[str, float]:
    """Figures of a case, by ``measure label``, and ``measure`` for the mean over its labels."""
    figures: dict[str, float] = {}
    of_labels = [count.figures() for count in counts]
    for label, one in zip(labels, of_labels, strict=True):
        figures |= {f"{name} {label}": value for name, value in one.items()}
    for name in MEASURES:
        known = [one[name] for one in of_labels if isfinite(one[name])]
        figures[name] = float(np.mean(known)) if known else nan
    return figures


def surface_distance(one: _Bools, other: _Bools, spacing: tuple[float, float, float]) -> float:
    """Mean distance in mm from each surface to the other, over both; NaN where one is empty.

    A surface is what erosion by the face neighbours takes away, the border of the array included.
    """
    if not one.any() or not other.any():
        return nan
    inside = ndimage.find_objects((one | other).astype(np.uint8))[0]
    edges = [mask[inside] & ~ndimage.binary_erosion(mask[inside]) for mask in (one, other)]
    distances = [
        ndimage.distance_transform_edt(~edges[1 - i], sampling=spacing)[edges[i]] for i in (0, 1)
    ]
    return round(float(np.concatenate(distances).mean()), _DIGITS)
