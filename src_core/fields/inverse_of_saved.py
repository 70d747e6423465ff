"""The inverse of any displacement field, of a large one in parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from src_core.cases import tiles
from src_core.errors.interruption import pause
from src_core.fields import Inverse, PartwiseField, invert, invert_parts
from src_core.fields.planes import Field
from src_core.fields.saved import SavedField

__all__ = ["InverseField", "invert_field"]

# A part needs all voxels around it that its preimages may lie in: thick parts repeat less.
_TIMES = 4
_SAMPLES = 10**6


@dataclass(frozen=True, eq=False)
class InverseField:
    """An inverse field and how well it inverts.

    Attributes:
        displacement: (X, Y, Z, 3), float32, LPS mm: psi(y) - y, phi(psi(y)) = y.
        metrics: ``inverse_error_voxels``, the 99th percentile of |phi(psi(y)) - y| where psi(y) is
            inside the image, and ``inverse_outside_percent``, the share where it is not.
    """

    displacement: Field
    metrics: dict[str, float]


@torch.inference_mode()
def invert_field(saved: SavedField) -> InverseField:
    """Invert a saved field, in float64."""
    solved = _solved(saved, list(saved.parts(_TIMES)))
    stride = max(1, math.prod(saved.shape) // tiles.LARGE)
    errors: list[Tensor] = []
    inside = 0

    def vectors(part: slice) -> Field:
        nonlocal inside
        pause()
        found = next(solved)
        errors.append(found.error_voxels[found.inside][::stride])
        inside += int(found.inside.sum())
        return saved.vectors(found.displacement, part)

    field = tiles.assembled(saved.shape, saved.along, vectors, _TIMES)
    if field.shape[:3] != saved.grid.shape and saved.axis is not None:
        field = np.repeat(field, saved.grid.shape[saved.axis], saved.axis)
    outside = 1 - inside / math.prod(saved.shape)
    return InverseField(
        field,
        {
            "inverse_error_voxels": _worst(torch.cat(errors)),
            "inverse_outside_percent": 100 * outside,
        },
    )


def _solved(saved: SavedField, cuts: Sequence[slice]) -> Iterator[Inverse]:
    place = saved.place
    if place is None or len(cuts) == 1:
        return (invert(saved.read(cut.start, cut.stop)) for cut in cuts)
    shape = tuple(n for a, n in enumerate(saved.shape) if a != saved.axis)
    source = PartwiseField(lambda first, last: saved.read(first, last)[0], shape, place)
    return invert_parts(source, cuts)


def _worst(errors: Tensor) -> float:
    some = errors[:: max(1, len(errors) // _SAMPLES)]
    return float(np.quantile(some.numpy(), 0.99)) if len(some) else 0.0
