"""Sizes of labels: of a source, of results, and of pictures that are not results yet. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.geometry import spacing_mm
from napari_drdm.layers.label_names import label_names
from napari_drdm.layers.units import unit_of
from napari_drdm.widgets.length_unit import MM, LengthUnit

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_drdm.runs.moments import Moment

__all__ = ["LabelSize", "label_sizes", "sizes_of_metrics", "sizes_of_moment"]

#: Values beyond this are not listed: a label map of that many has another use.
_HIGHEST = 1 << 16


@dataclass(frozen=True)
class LabelSize:
    """How large a label is.

    Attributes:
        value: of the label.
        name: in words.
        ml: its volume; of a single slice as if it were 1 mm thick.
        flat: the case is a single slice, whose areas are shown instead.
        length: the unit of lengths, px where no spacing is known.
    """

    value: int
    name: str
    ml: float
    flat: bool = False
    length: LengthUnit = MM

    @property
    def unit(self) -> str:
        """What sizes of its case are shown in."""
        return self.length.area if self.flat else self.length.volume

    @property
    def shown(self) -> float:
        """Its size in ``unit``."""
        return self.in_unit(self.ml)

    def in_unit(self, ml: float) -> float:
        """Another size of this label in ``unit``."""
        return ml * (1000 if self.flat else self.length.per_ml)


def label_sizes(labels: Labels | None) -> tuple[LabelSize, ...]:
    """Every label of a layer but 0, by value; mean over the frames of a cine."""
    if labels is None:
        return ()
    values, frames = np.asarray(labels.data), 1
    if values.ndim == 4:
        frames = len(values)
    ml = float(np.prod(spacing_mm(labels))) / 1000 / frames
    names, flat, unit = label_names(labels), values.ndim == 2, unit_of(labels)
    return tuple(
        LabelSize(value, names.get(value, f"label {value}"), n * ml, flat, unit)
        for value, n in _counts(values).items()
    )


def sizes_of_metrics(metrics: Mapping[str, Any]) -> dict[int, float]:
    """Volumes of a result's labels by value, ml."""
    found = metrics.get("label_volume_ml", {})
    return {int(value): after for value, (_, after) in found.items()}


def sizes_of_moment(moment: Moment) -> dict[int, float]:
    """Volumes of labels as a moment shows them, ml; mean over the frames of a cine."""
    if not moment.labels:
        return {}
    grid, values = moment.layer_case.case.grid, moment.labels[0]
    frames = len(values) if values.ndim == 4 else 1
    ml = float(abs(np.linalg.det(grid.affine[:3, :3]))) / 1000 / frames
    return {value: n * ml for value, n in _counts(values).items()}


def _counts(values: NDArray[Any]) -> dict[int, int]:
    """Voxels of each label but 0."""
    if not values.size or values.min() < 0 or values.max() >= _HIGHEST:
        return {}
    counts = np.bincount(values.ravel().astype(np.uint16, copy=False))
    return {int(v): int(counts[v]) for v in np.flatnonzero(counts) if v}
