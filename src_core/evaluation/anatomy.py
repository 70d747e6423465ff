"""The labels of a data set, which of them encloses which, and their shape measures.

A label is the wall of another where it fills three quarters of that label's surroundings, in the
median of the cases, as the myocardium does around the left cavity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log, nan

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases.label_shapes import ellipse_agreement, enclosed_share, wall_thickness

__all__ = ["LEAST_VOXELS", "MOST_PAIRED_LABELS", "Anatomy", "find_anatomy", "shape_figures"]

_ENCLOSED = 0.75
#: Ratios and directions are taken between at most this number of labels.
MOST_PAIRED_LABELS = 4
#: A label of fewer voxels than this has no shape.
LEAST_VOXELS = 10


@dataclass(frozen=True)
class Anatomy:
    """Labels of a data set.

    Attributes:
        labels: values, ascending, background left out.
        walls: pairs (wall, inner): the first encloses the second.
    """

    labels: tuple[int, ...]
    walls: tuple[tuple[int, int], ...] = ()

    def regions(self) -> dict[str, tuple[int, ...]]:
        """Regions with an outer surface: each label, a wall together with what it encloses."""
        inside = dict(self.walls)
        return {
            "+".join(str(v) for v in values): values
            for values in ((v, inside[v]) if v in inside else (v,) for v in self.labels)
        }


def find_anatomy(maps: Sequence[NDArray[np.integer]], walls: bool = True) -> Anatomy:
    """The labels of label maps (*spatial), and which of them are walls of which."""
    labels = sorted({int(v) for m in maps for v in np.unique(m)} - {0})
    found = [
        (wall, inner)
        for inner in labels
        for wall in labels
        if walls and wall != inner and _encloses(maps, wall, inner)
    ]
    return Anatomy(tuple(labels), tuple(found))


def _encloses(maps: Sequence[NDArray[np.integer]], wall: int, inner: int) -> bool:
    shares = [enclosed_share(m == inner, m == wall) for m in maps]
    known = [s for s in shares if s == s]
    return bool(known) and float(np.median(known)) >= _ENCLOSED


def shape_figures(
    labels: NDArray[np.integer], anatomy: Anatomy, mm_per_voxel: float
) -> dict[str, float]:
    """Every shape measure of one label map (*spatial); NaN where a label is too small or absent.

    ``area N`` in mm^2 (2D) or ``volume N`` in ml (3D), ``ellipse R`` of each region, ``thickness
    W`` and ``unevenness W`` of each wall in mm, ``log ratio A/B`` of two labels' sizes.
    """
    box = _box(labels, anatomy)
    sizes = {v: int((box == v).sum()) for v in anatomy.labels}
    unit = mm_per_voxel**labels.ndim / (1000 if labels.ndim == 3 else 1)
    name = "volume" if labels.ndim == 3 else "area"
    figures = {f"{name} {v}": n * unit if n >= LEAST_VOXELS else nan for v, n in sizes.items()}
    for region, values in anatomy.regions().items():
        mask = np.isin(box, values)
        figures[f"ellipse {region}"] = (
            ellipse_agreement(mask) if mask.sum() >= LEAST_VOXELS else nan
        )
    for wall, inner in anatomy.walls:
        mean, deviation = wall_thickness(box == wall, box == inner)
        figures[f"thickness {wall}"] = mean * mm_per_voxel
        figures[f"unevenness {wall}"] = deviation * mm_per_voxel
    if len(anatomy.labels) <= MOST_PAIRED_LABELS:
        for low, high in combinations(anatomy.labels, 2):
            both = min(sizes[low], sizes[high]) >= LEAST_VOXELS
            ratio = log(sizes[high] / sizes[low]) if both else nan
            figures[f"log ratio {high}/{low}"] = ratio
    return figures


def _box(labels: NDArray[np.integer], anatomy: Anatomy) -> NDArray[np.integer]:
    """The box around all labels, with a margin for their ellipses."""
    labelled = np.isin(labels, anatomy.labels)
    found = ndimage.find_objects(labelled.astype(np.uint8))
    if not found:
        return labels[tuple(slice(0, 1) for _ in labels.shape)]
    kept = []
    for extent in found[0]:
        margin = max(2, (extent.stop - extent.start) // 4)
        kept.append(slice(max(extent.start - margin, 0), extent.stop + margin))
    return np.asarray(labels[tuple(kept)])
