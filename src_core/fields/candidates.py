"""Which cells of a field may cover which voxels: where to look for their preimages."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from src_core.fields.cells import corners_of, flat_index, lowest_corners, multilinear, slabs
from src_core.fields.extended import ExtendedField
from src_core.fields.newton import solve
from src_core.fields.sampling import identity

__all__ = ["candidates", "centres"]

_CELLS_AT_ONCE = 2**16
_PAIRS_AT_ONCE = 2**17


def candidates(field: ExtendedField, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Some targets and the cells whose image may cover them, some at a time.

    A cell's image lies in its corners' bounding box. The rank is how far from the cell's middle the
    voxel lies, in the cell's linearised coordinates; the image's own cells go first.

    Args:
        wanted: (m,) int64, flat indices of the targets.

    Yields:
        Indices into ``wanted`` (p,), lowest corners (p,), flat in the piece, int64 each, and ranks
        (p,), the smaller the likelier.
    """
    ndim = len(field.shape)
    number = torch.full((math.prod(field.count),), -1)
    number[wanted] = torch.arange(len(wanted))
    middle = torch.full((ndim, 1), 0.5, dtype=field.u.dtype)
    begin = torch.tensor([r.start for r in field.targets])[:, None]
    for lowest, corners, low, extent in _boxes(field):
        owner, place = _pairs(low, extent)
        target = number[flat_index(place - begin, field.count)]
        asked = (target >= 0).nonzero()[:, 0]
        owner, place, target = owner[asked], place[:, asked], target[asked]
        if not len(asked):
            continue
        centre, columns = multilinear(corners, middle)
        inverse = [solve(columns, e[:, None]) for e in torch.eye(ndim, dtype=field.u.dtype)]
        away = place + field.margin - centre[:, owner]
        local = torch.zeros_like(away)
        for column, one in zip(inverse, away, strict=True):
            local += column[:, owner] * one
        rank = local.abs().amax(0) + _foreign(lowest, field)[owner]
        yield target, lowest[owner], rank


def centres(lowest: Tensor, field: ExtendedField) -> Tensor:
    """Middles of cells (n,), flat in the piece, in the extended field: (D, n)."""
    return _corner(lowest, field) + 0.5


def _corner(lowest: Tensor, field: ExtendedField) -> Tensor:
    places = torch.stack(torch.unravel_index(lowest, field.u.shape[1:]))
    return places.to(field.u.dtype) + field.window.origin


def _boxes(field: ExtendedField) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Cells whose image may cover voxels, some at a time and in order.

    Yields:
        Lowest corners (m,), images of the corners (D, 2, ..., 2, m), and the boxes' first voxels
        and extents, (D, m) int64 each.
    """
    least = torch.tensor([r.start for r in field.targets])[:, None]
    last = torch.tensor([r.stop for r in field.targets])[:, None] - 1
    for layer, displaced in slabs(field.u, _CELLS_AT_ONCE):
        slab = displaced + identity(displaced.shape[1:], displaced)[0] + _start(field, layer)
        low, high = slab, slab
        for axis in range(1, slab.dim()):
            n = slab.shape[axis] - 1
            low = torch.minimum(low.narrow(axis, 0, n), low.narrow(axis, 1, n))
            high = torch.maximum(high.narrow(axis, 0, n), high.narrow(axis, 1, n))
        first = (low.flatten(1) - field.margin).ceil().long().maximum(least)
        extent = (high.flatten(1) - field.margin).floor().long().minimum(last) - first + 1
        count = extent.clamp(min=0).prod(0)
        used = count.nonzero()[:, 0]
        group = count[used].cumsum(0) // _PAIRS_AT_ONCE
        for some in used.split(torch.bincount(group).tolist()):
            here = lowest_corners(some, slab.shape[1:])
            lowest = here + layer * slab[0, 0].numel()
            yield lowest, corners_of(slab, here), first[:, some], extent[:, some]


def _start(field: ExtendedField, layer: int) -> Tensor:
    """A slab's first voxel in the extended field, (D, 1, ...)."""
    origin = field.window.origin.clone()
    origin[0] += layer
    return origin.view(-1, *[1] * len(field.shape))


def _foreign(lowest: Tensor, field: ExtendedField) -> Tensor:
    """What is added to a cell's rank: half a cell if it is none of the image's own, else 0."""
    place = _corner(lowest, field) - field.margin
    most = torch.tensor(field.shape)[:, None] - 2
    return ((place < 0) | (place > most)).any(dim=0) * 0.5


def _pairs(low: Tensor, extent: Tensor) -> tuple[Tensor, Tensor]:
    """All voxels of all boxes (D, m): which box each is of (p,), and where it lies (D, p)."""
    count = extent.prod(0)
    owner = torch.arange(len(count)).repeat_interleave(count)
    rest = torch.arange(len(owner)) - (count.cumsum(0) - count)[owner]
    place = low[:, owner]
    for axis in reversed(range(1, len(extent))):
        size = extent[axis, owner]
        place[axis] += rest % size
        rest = rest // size
    place[0] += rest
    return owner, place
