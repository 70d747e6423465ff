"""The inverse of a field by compiled loops: Newton's method from the nearest mapped voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.inverse_loops import from_nodes
from src_core.fields.kernels.node_loops import nodes
from src_core.fields.kernels.threads import in_parts

__all__ = ["can_invert", "invert_from_nodes"]

#: Targets that are worth a thread.
_LEAST = 1 << 13


def can_invert() -> bool:
    """Whether the loops can be called."""
    return ready(nodes, from_nodes)


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
    add, flat = 3 - len(shape), [range(1)] * (3 - len(shape))
    field = u.reshape(len(u), *[1] * add, *u.shape[1:]).contiguous().numpy()
    n, o = (*[1] * add, *shape), (*[0] * add, *origin)
    targets, tried = [*flat, *targets], [*flat, *tried]
    # The neighbours of the targets too: one that nothing is mapped to takes a neighbour's voxel.
    wider = [
        range(max(r.start - 1, 0), min(r.stop + 1, m)) for r, m in zip(targets, n, strict=True)
    ]
    begin, around = tuple(r.start for r in wider), tuple(map(len, wider))
    near, node = np.full(around, np.inf, np.float32), np.zeros((*around, 3), np.int32)
    ends = tuple(r.start for r in tried), tuple(r.stop for r in tried)
    nodes(field, n, o, *ends, begin, near, node)
    count, first = tuple(map(len, targets)), tuple(r.start for r in targets)
    w, error = np.empty((3, *count)), np.empty(count)
    inside, left = np.empty(count, np.bool_), np.zeros(1, np.bool_)

    def rows(start: int, stop: int) -> None:
        found, how = (w, error, inside, left), (iterations, tolerance, single)
        from_nodes(field, n, o, begin, near, node, first, start, stop, how, *found)

    in_parts(rows, count[0] * count[1], max(1, _LEAST // count[2]))
    size = count[add:]
    moved = torch.from_numpy(w[add:]).view(-1, *size)
    return (
        moved,
        torch.from_numpy(error).view(size),
        torch.from_numpy(inside).view(size),
        bool(left[0]),
    )
