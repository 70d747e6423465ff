"""A case in time, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.volume import Volume
from src_core.fields.planes import Field
from src_core.fields.warp_case import warp_case

__all__ = ["frame_of", "warp_frames"]

_V = TypeVar("_V", bound=Volume)


def warp_frames(
    case: Case,
    fields: Sequence[Field],
    *,
    interpolation: Literal["linear", "cubic"] = "linear",
    labels: Literal["linear", "nearest"] = "linear",
) -> Case:
    """Every frame through its own field; a field of zeros leaves its frame bit for bit.

    A single volume becomes as many frames as there are fields.
    """
    moved = [
        warp_case(frame_of(case, t), field, interpolation=interpolation, labels=labels)
        if field.any()
        else frame_of(case, t)
        for t, field in enumerate(fields)
    ]
    images = tuple(_joined(v, [m.images[i] for m in moved]) for i, v in enumerate(case.images))
    maps = tuple(_joined(v, [m.labels[i] for m in moved]) for i, v in enumerate(case.labels))
    return Case(images, maps, case.grid, case.name, case.notes)


def frame_of(case: Case, t: int) -> Case:
    """One frame; what has a single one has it for all times."""
    images = tuple(_of(image, t) for image in case.images)
    return Case(images, tuple(_of(v, t) for v in case.labels), case.grid, case.name)


def _of(volume: _V, t: int) -> _V:
    return volume.with_data(volume.data[..., t] if volume.frames > 1 else _single(volume.data))


def _single(data: NDArray[Any]) -> NDArray[Any]:
    return data[..., 0] if data.ndim == 4 else data


def _joined(volume: _V, frames: Sequence[_V]) -> _V:
    data = np.stack([frame.data for frame in frames], axis=-1)
    if volume.frames > 1:
        return volume.with_data(data)
    header = volume.header.copy()
    header.set_data_shape(data.shape)
    return replace(volume, data=data, header=header, path=None)
