"""A slab of a case as targets are measured on it, and what a deformation makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.volume import LabelMap
from src_core.fields.planes import Field, lps_field
from src_core.fields.warp_case import warped_labels
from src_core.generation.model_view import ModelView
from src_core.steering.parts import Delivered, SteeredPart

__all__ = ["SlabDelivery", "steered_part"]


def steered_part(view: ModelView, state: int, slab: int | None = None) -> SteeredPart:
    """One slab of a case, or the whole of it; ``state`` is the side of the state grid."""
    grid, cut = _grid(view, slab)
    labels = view.case.label_map
    mm = view.fit.mm_per_pixel * view.fit.size / state

    def image(values: NDArray[np.float32]) -> Tensor:
        if view.box is not None:
            values = values[tuple(slice(*ends) for ends in view.box)]
        return view.fit.image(values)

    return SteeredPart(
        grid,
        view.axis,
        None if labels is None else labels[cut],
        image,
        lambda at: view.to_state(at, state),
        mm,
    )


@dataclass(frozen=True, eq=False)
class SlabDelivery:
    """From a displacement on the state grid to the labels and the field that are delivered.

    Attributes:
        view: the case.
        slab: one of its slabs.
        labels: interpolation of labels.
    """

    view: ModelView
    slab: int
    labels: Literal["linear", "nearest"]

    def __call__(self, u: Tensor) -> Delivered:
        """What a displacement (1, D, *state), state voxels, makes of the slab."""
        view = self.view
        grid, cut = _grid(view, self.slab)
        field = lps_field(view.displacement(u.double()), grid, view.axis)
        return Delivered(self._labels(cut, grid, field), field)

    def _labels(self, cut: tuple[slice, ...], grid: Grid, field: Field) -> NDArray[Any] | None:
        if not self.view.case.labels:
            return None
        first: LabelMap = self.view.case.labels[0]
        return warped_labels(replace(first, data=first.data[cut]), grid, field, self.labels)


def _grid(view: ModelView, slab: int | None) -> tuple[Grid, tuple[slice, ...]]:
    """The grid of a slab, and the part of the case's arrays that it is."""
    whole, axis = view.case.grid, view.axis
    if axis is None or view.shared or slab is None:
        return whole, (slice(None),)
    x, y, z = (1 if a == axis else n for a, n in enumerate(whole.shape))
    affine = np.array(whole.affine)
    affine[:3, 3] += slab * affine[:3, axis]
    return Grid((x, y, z), affine), (*[slice(None)] * axis, slice(slab, slab + 1))
