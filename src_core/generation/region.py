"""A region of interest: a box is deformed, and the velocity fades to zero at its border.

The model's grid lies over the box alone. A velocity that is zero on the border flows nothing across
it, so the map is the identity outside and stays a diffeomorphism.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from src_core.errors import InputError
from src_core.fields.sampling import identity
from src_core.models.fit import Fit

__all__ = ["Box", "box_in", "embed", "fade"]

#: First and past-last voxel along each axis.
Box = tuple[tuple[int, int], ...]

_LEAST = 8
#: Share of the box's shortest side over which the velocity rises from 0.
_RISE = 0.2


def box_in(region: Box, shape: Sequence[int], axes: Sequence[int]) -> Box:
    """The part of a region (voxels along X, Y, Z) that counts: its ends along some axes.

    Raises:
        InputError: it leaves the image, or is less than 8 voxels wide.
    """
    for axis in axes:
        low, high = region[axis]
        if not (low >= 0 and high <= shape[axis] and high - low >= _LEAST):
            raise InputError(
                f"the region {low}:{high} is not possible along {'XYZ'[axis]}",
                option="region",
                expected=f"{_LEAST} voxels or more within 0:{shape[axis]}",
                do="make it larger, or move it into the image",
            )
    return tuple(region[axis] for axis in axes)


def embed(
    inner: Callable[[list[range]], Tensor], part: Sequence[range], box: Box, like: Tensor
) -> Tensor:
    """A field that is known inside a box at some voxels of the whole: zero outside the box.

    Args:
        inner: the field (B, D, *lengths) at ranges of voxels counted from the box's corner.
        part: a range of the whole's voxels per axis.
    """
    taken: list[range] = []
    places: list[slice] = []
    for voxels, (low, high) in zip(part, box, strict=True):
        kept = [i for i, v in enumerate(voxels) if low <= v < high]
        places.append(slice(kept[0], kept[-1] + 1) if kept else slice(0, 0))
        chosen = voxels[places[-1]]
        taken.append(range(chosen.start - low, chosen.stop - low, chosen.step))
    whole = like.new_zeros(like.shape[0], like.shape[1], *map(len, part))
    if all(map(len, taken)):
        index: tuple[Any, ...] = (..., *places)
        whole[index] = inner(taken)
    return whole


def fade(fit: Fit, size: int, span: int, state: int) -> Tensor:
    """Factors 0..1 for a velocity on a grid of ``size`` that covers ``span`` state voxels per side.

    Args:
        fit: of the box into the model's grid.
        state: state voxels per side of the model's grid.

    Returns:
        (1, 1, *size): 0 on and outside the box's border, 1 deep inside; smooth between.
    """
    ndim = len(fit.shape)
    at = identity([size] * ndim, torch.zeros(1))
    mm = fit.mm_per_pixel * fit.size / state
    from_centre = ((at + 0.5) * (span / size) - span / 2) * mm
    half = [n * s / 2 for n, s in zip(fit.shape, fit.spacing, strict=True)]
    rise = _RISE * 2 * min(half)
    factor = torch.ones(1, 1, *[size] * ndim)
    for axis, reach in enumerate(half):
        depth = ((reach - from_centre[:, axis : axis + 1].abs()) / rise).clamp(0, 1)
        factor = factor * (depth * depth * (3 - 2 * depth))
    return factor
