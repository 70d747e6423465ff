"""A part of a case under a displacement, in single precision: for a window that follows a drag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.volume import LabelMap, Volume
from src_core.fields.sampling import positions
from src_core.fields.warp_case import warp_image, warp_label_map
from src_core.generation.model_view import ModelView
from src_core.models.device import fixed_threads

__all__ = ["Part", "warp_part"]


@dataclass(frozen=True)
class Part:
    """What is looked at.

    Attributes:
        fixed: index along X, Y, Z, None for the whole axis.
        frame: index of a cine's frame, None for all.
        stride: every n-th voxel, repeated n times; 1 for all.
    """

    fixed: tuple[int | None, int | None, int | None] = (None, None, None)
    frame: int | None = None
    stride: int = 1

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self == Part()

    def within(self, shape: Sequence[int]) -> Part:
        """The same in an array (X, Y, Z) or (X, Y, Z, T); beyond its end, the end."""
        ends = [n - 1 for n in (*shape, 1)[:4]]
        moved = [
            None if i is None else min(i, end)
            for i, end in zip((*self.fixed, self.frame), ends, strict=True)
        ]
        return Part((moved[0], moved[1], moved[2]), moved[3], self.stride)

    def index(self, ndim: int) -> tuple[slice, ...]:
        """Where the part lies in an array (X, Y, Z) or (X, Y, Z, T)."""
        axes = (*self.fixed, self.frame)[:ndim]
        return tuple(slice(None) if i is None else slice(i, i + 1) for i in axes)


@torch.inference_mode()
def warp_part(
    view: ModelView, u: Tensor, part: Part, volumes: Iterable[Volume]
) -> tuple[NDArray[Any], ...]:
    """Volumes of a case, deformed.

    Args:
        u: (slabs, D, *state), state voxels, one item per slab of the view.
        volumes: images and label maps on the case's grid.

    Returns:
        Each one's part, stored values, with all its axes; those that are fixed are 1 long.
    """
    with fixed_threads():
        at = _positions(view, u.float(), part)
        return tuple(_deformed(view, v, at, part) for v in volumes)


def _positions(view: ModelView, u: Tensor, part: Part) -> Tensor:
    shape, axis = view.case.grid.shape, view.axis
    ranges = [
        range(0, n, part.stride) if i is None else range(i, i + 1)
        for i, n in zip(part.fixed, shape, strict=True)
    ]
    through = range(1) if axis is None else ranges.pop(axis)
    u = u if view.shared else u[list(through)]
    at = positions(ranges, u) + view.displacement(u, ranges)
    return at.expand(len(through), *at.shape[1:])


def _deformed(view: ModelView, volume: Volume, at: Tensor, part: Part) -> NDArray[Any]:
    kept: list[slice] = [slice(None)] * volume.data.ndim
    if view.axis is not None:
        index = part.fixed[view.axis]
        step = slice(0, None, part.stride)
        kept[view.axis] = step if index is None else slice(index, index + 1)
    if part.frame is not None and volume.data.ndim == 4:
        kept[3] = slice(part.frame, part.frame + 1)
    source = volume.with_data(volume.data[tuple(kept)])
    warp = warp_label_map if isinstance(source, LabelMap) else warp_image
    return _repeated(warp(source, at, view.axis).data, volume.data, part)  # type: ignore[arg-type]


def _repeated(values: NDArray[Any], whole: NDArray[Any], part: Part) -> NDArray[Any]:
    if part.stride == 1:
        return values
    for axis, index in enumerate(part.fixed):
        if index is None:
            values = values.repeat(part.stride, axis).take(range(whole.shape[axis]), axis)
    return np.ascontiguousarray(values)
