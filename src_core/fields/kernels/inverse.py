"""The inverse of a field by compiled loops: Newton's method from the nearest mapped voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.inverse_loops import from_nodes, until_found
from src_core.fields.kernels.node_loops import FIELDS, nodes
from src_core.fields.kernels.threads import in_parts

__all__ = ["can_invert", "invert_from_nodes"]

_T = TypeVar("_T")

#: Targets that are worth a thread.
_LEAST = 1 << 13


def can_invert(ndim: int) -> bool:
    """Whether the loops for fields of 2 or 3 axes can be called."""
    kind = FIELDS[ndim]
    return ready(nodes[kind], from_nodes[kind], until_found[kind])


def invert_from_nodes(
    u: Tensor,
    shape: Sequence[int],
    origin: Sequence[int],
    tried: Sequence[range],
    targets: Sequence[range],
    iterations: int,
    tolerance: float,
    single: bool,
) -> tuple[Tensor, Tensor, Tensor, bool]:
    """Points p with p + u(p) = y for voxels y, or the best met.

    Args:
        u: (D, *piece), float64, voxels.
        shape: of the image.
        origin: the image's voxel at which the piece begins.
        tried: voxels of the extended image from which Newton's method may start, a range per axis.
        targets: the voxels y, a range per axis.
        iterations: evaluations a target may take.
        tolerance: voxels.
        single: whether p - y is rounded to float32.

    Returns:
        p - y, (D, *count), |p + u(p) - y| and whether p lies in the image, (*count), and whether a
        point left the piece: then nothing of it holds.
    """
    field, kind = u.contiguous().numpy(), FIELDS[len(shape)]
    n, o = _triple(shape, 1), _triple(origin, 0)
    targets, tried = _triple(targets, range(1)), _triple(tried, range(1))
    # The neighbours of the targets too: one that nothing is mapped to takes a neighbour's voxel.
    wider = [
        range(max(r.start - 1, 0), min(r.stop + 1, m)) for r, m in zip(targets, n, strict=True)
    ]
    begin, around = _starts(wider), _lengths(wider)
    near, node = np.full(around, np.inf, np.float32), np.zeros((*around, 3), np.int32)
    nodes[kind](field, n, o, _starts(tried), _stops(tried), begin, near, node)
    count, first = _lengths(targets), _starts(targets)
    w, error = np.empty((3, *count)), np.empty(count)
    inside, left = np.empty(count, np.bool_), np.zeros(1, np.bool_)

    def rows(start: int, stop: int) -> None:
        given = (field, n, o, begin, near, node, first, start, stop)
        from_nodes[kind](*given, single, w, error)
        until_found[kind](*given, (iterations, tolerance, single), w, error, inside, left)

    in_parts(rows, count[0] * count[1], max(1, _LEAST // count[2]))
    size = [len(r) for r in targets[3 - len(shape) :]]
    moved = torch.from_numpy(w[3 - len(shape) :]).view(-1, *size)
    away, within = torch.from_numpy(error).view(size), torch.from_numpy(inside).view(size)
    return moved, away, within, bool(left[0])


def _triple(values: Sequence[_T], first: _T) -> tuple[_T, _T, _T]:
    """Values for three axes: of two, the first axis is one that nothing moves along."""
    a, b, c = values if len(values) == 3 else (first, *values)
    return a, b, c


def _starts(ranges: Sequence[range]) -> tuple[int, int, int]:
    a, b, c = ranges
    return a.start, b.start, c.start


def _stops(ranges: Sequence[range]) -> tuple[int, int, int]:
    a, b, c = ranges
    return a.stop, b.stop, c.stop


def _lengths(ranges: Sequence[range]) -> tuple[int, int, int]:
    a, b, c = ranges
    return len(a), len(b), len(c)
