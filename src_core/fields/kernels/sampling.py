"""Linear and nearest sampling of tensors on the CPU by compiled loops.

All images and label maps of a call share the work of finding cells and weights. Arithmetic is
float64 whatever the tensors' type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.linear_loops import (
    linear_2d,
    linear_3d,
    vote_2d,
    vote_3d,
)
from src_core.fields.kernels.place_loops import place_2d, place_3d
from src_core.fields.kernels.tensors import TYPES, plain
from src_core.fields.kernels.threads import in_parts

__all__ = ["can_sample", "can_vote", "sample_values", "vote_labels"]

_PLACE: dict[int, dict[str, Kernel[...]]] = {2: place_2d, 3: place_3d}
_LINEAR: dict[int, dict[str, Kernel[...]]] = {2: linear_2d, 3: linear_3d}
_VOTE: dict[int, dict[str, Kernel[...]]] = {2: vote_2d, 3: vote_3d}
#: Voxels whose cells are kept at once: they fit into a core's cache.
_AT_ONCE = 1 << 13
_LARGEST_LABEL = (1 << 31) - 1

_Cells = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def can_sample(image: Tensor, at: Tensor) -> bool:
    """Whether ``sample_values`` takes these tensors, and nothing needs their gradient.

    In 2D and float32 PyTorch is left to it: there it samples several voxels at once.
    """
    ndim = at.shape[1]
    if ndim == 2 and at.dtype == torch.float32:
        return False
    return (
        plain(image, at)
        and image.dtype == at.dtype
        and ready(_PLACE[ndim][TYPES[at.dtype]], _LINEAR[ndim][TYPES[at.dtype]])
    )


def can_vote(labels: Tensor, at: Tensor) -> bool:
    """Whether ``vote_labels`` takes these tensors."""
    if labels.shape[1] != 1:
        return False
    ndim = at.shape[1]
    if not plain(labels, at) or labels.is_floating_point() or not labels.numel():
        return False
    if labels.dtype in (torch.int64, torch.uint32, torch.uint64):
        low, high = (int(one) for one in labels.to(torch.int64).aminmax())
        if low < -_LARGEST_LABEL or high > _LARGEST_LABEL:
            return False
    return ready(_PLACE[ndim][TYPES[at.dtype]], _VOTE[ndim]["int32"])


def sample_values(
    image: Tensor, at: Tensor, moved: bool, rule: int, nearest: bool, outside: float = 0.0
) -> Tensor:
    """Values of an array at positions.

    Args:
        image: (B or 1, C, *in), float32 or float64.
        at: (B, D, *out), of the same type, voxels of ``image``: positions, or displacements of
            the voxels of the output.
        moved: whether they are displacements.
        rule: beyond the array, as for ``place_2d``.
        nearest: whether the nearest voxel's value is taken.
        outside: value of what the rule ``INSIDE`` leaves out.

    Returns:
        (B, C, *out).
    """
    ndim, channels = at.shape[1], image.shape[1]
    out = torch.empty(len(at), channels, *at.shape[2:], dtype=image.dtype)
    flat, steps, linear = (
        image.detach().contiguous().flatten(2).numpy(),
        _steps(image),
        _LINEAR[ndim][TYPES[image.dtype]],
    )
    written = out.flatten(2).numpy()

    def take(b: int, part: slice, cells: _Cells) -> None:
        values = flat[b if len(flat) > 1 else 0]
        for channel in range(channels):
            linear(values[channel], *cells, steps, outside, False, written[b, channel, part])

    _through_cells(at, moved, image.shape[2:], rule, nearest, take)
    return out


def vote_labels(labels: Tensor, at: Tensor, rule: int, nearest: bool) -> Tensor:
    """Labels at positions: the one with the largest linear weight, or the nearest; 0 outside.

    Args:
        labels: (B or 1, 1, *in), whole numbers of 32 bits or fewer.
        at: (B, D, *out), float32 or float64, voxels of ``labels``.
        rule: as for ``sample_values``.
        nearest: whether the nearest voxel's label is taken.

    Returns:
        (B, 1, *out), int32.
    """
    out = torch.empty(len(at), 1, *at.shape[2:], dtype=torch.int32)
    flat, written = labels.to(torch.int32).contiguous().flatten(1).numpy(), out.flatten(1).numpy()
    steps, vote = _steps(labels), _VOTE[at.shape[1]]["int32"]

    def take(b: int, part: slice, cells: _Cells) -> None:
        vote(flat[b if len(flat) > 1 else 0], *cells, steps, written[b, part])

    _through_cells(at, False, labels.shape[2:], rule, nearest, take)
    return out


def _through_cells(
    at: Tensor,
    moved: bool,
    shape: Sequence[int],
    rule: int,
    nearest: bool,
    take: Callable[[int, slice, _Cells], None],
) -> None:
    """Call ``take`` with the cells of some positions, until all have had their turn."""
    grid, count, place = (
        tuple(at.shape[2:]),
        math.prod(at.shape[2:]),
        _PLACE[at.shape[1]][TYPES[at.dtype]],
    )
    places, shape = at.detach().flatten(2).numpy(), tuple(shape)
    if not count:
        return

    def work(first: int, last: int) -> None:
        low, share, weight = _room(min(last - first, _AT_ONCE), len(shape))
        while first < last:
            b, start = divmod(first, count)
            stop = min(start + len(low), count, start + last - first)
            cells = low[: stop - start], share[: stop - start], weight[: stop - start]
            place(places[b, :, start:stop], moved, grid, start, shape, rule, nearest, *cells)
            take(b, slice(start, stop), cells)
            first += stop - start

    in_parts(work, len(at) * count)


def _room(count: int, ndim: int) -> _Cells:
    return np.empty(count, np.int64), np.empty((count, ndim)), np.empty(count)


def _steps(image: Tensor) -> tuple[int, ...]:
    """How far a cell's corners are apart in the flat array, 0 on an axis of one voxel."""
    shape = image.shape[2:]
    return tuple(0 if n == 1 else math.prod(shape[a + 1 :]) for a, n in enumerate(shape))
