"""Slices moved by a displacement on the CPU, by compiled loops."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.plane_loops import values_of_plane, votes_of_plane
from src_core.fields.kernels.tensors import plain
from src_core.fields.kernels.threads import LEAST, in_parts
from src_core.fields.kernels.warp_loops import warp_planes

__all__ = ["can_warp_planes", "plane_labels", "plane_values", "warped_planes"]

_INT16 = (torch.uint8, torch.int8, torch.int16)


def plane_values(images: Tensor, u: Tensor, outside: Tensor) -> Tensor | None:
    """Linear values of images at ``x + u(x)``, others outside; None where the loops cannot.

    Args:
        images: (1, C, A, B), float32.
        u: (1, 2, X, Y), float32, voxels.
        outside: (C,), values half a voxel beyond the centres.

    Returns:
        (1, C, X, Y).
    """
    if not _suits(images, u) or images.dtype != torch.float32 or not ready(values_of_plane):
        return None
    flat, out = images.detach().contiguous(), torch.empty(1, images.shape[1], *u.shape[2:])
    field, values = u.contiguous(), outside.detach().double().numpy()
    work = partial(values_of_plane, flat[0].numpy(), field[0].numpy(), values, out[0].numpy())
    in_parts(work, *_rows(u))
    return out


def plane_labels(labels: Tensor, u: Tensor) -> Tensor | None:
    """Labels at ``x + u(x)``: the largest linear weight, 0 outside; None where the loops cannot.

    Args:
        labels: (1, C, A, B), whole numbers of 16 bits or fewer, or int32.
        u: (1, 2, X, Y), float32, voxels.

    Returns:
        (1, C, X, Y), int16 or int32.
    """
    if labels.dtype not in (*_INT16, torch.int32) or not _suits(labels, u):
        return None
    name, kind = ("int16", torch.int16) if labels.dtype in _INT16 else ("int32", torch.int32)
    loop = votes_of_plane[name]
    if not ready(loop):
        return None
    flat = labels.to(kind).contiguous()[0].flatten(1).numpy()
    out, field = torch.empty(1, labels.shape[1], *u.shape[2:], dtype=kind), u.contiguous()
    given, width, written = (flat, labels.shape[3], field[0].numpy()), u.shape[3], out[0].numpy()

    def work(start: int, stop: int) -> None:
        loop(*given, np.empty(width, np.int32), np.empty((2, width)), written, start, stop)

    in_parts(work, *_rows(u))
    return out


def can_warp_planes(images: Tensor, u: Tensor) -> bool:
    """Whether ``warped_planes`` takes these tensors, and nothing needs their gradient."""
    if u.dim() != 4 or u.dtype != torch.float32 or images.dtype != torch.float32:
        return False
    full = plain(images, u) and min(images.shape[2:]) > 1 and images.numel() * u.numel() > 0
    return full and ready(warp_planes)


def warped_planes(images: Tensor, u: Tensor, factor: int, fades: bool) -> Tensor:
    """Linear values of images at ``x + u(x)``.

    Args:
        images: (B or 1, C, A, B), float32.
        u: (B, 2, X, Y), float32, voxels of its own grid.
        factor: how many times finer the images' grid is.
        fades: whether images fade to zero over a voxel beyond their borders; else these continue.

    Returns:
        (B, C, X * factor, Y * factor).
    """
    rows, columns = (n * factor for n in u.shape[2:])
    out = torch.empty(len(u), images.shape[1], rows, columns)
    sources, fields = images.detach().contiguous().flatten(2).numpy(), u.detach().contiguous()
    loop: Kernel[...] = warp_planes
    between = _between(rows, columns, factor)
    for n, (field, written) in enumerate(zip(fields.numpy(), out.numpy(), strict=True)):
        given = sources[n if len(sources) > 1 else 0], images.shape[3], field, *between, fades

        def work(start: int, stop: int, given: Any = given, written: Any = written) -> None:
            room, cells = np.empty((7, columns), np.float32), np.empty((2, columns), np.int32)
            loop(*given, room, cells, written, start, stop)

        in_parts(work, rows, max(1, LEAST // columns))
    return out


@lru_cache(maxsize=8)
def _between(rows: int, columns: int, factor: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lines of a grid on both sides of those of a finer one, and shares of the way to the second.

    Returns:
        (4, n): of rows, then of columns; (2, n).
    """
    sides, length = (rows, columns), max(rows, columns)
    beside, shares = np.zeros((4, length), np.uint32), np.zeros((2, length), np.float32)
    for axis, side in enumerate(sides):
        twice = np.maximum(2 * np.arange(side) + 1 - factor, 0)
        beside[2 * axis, :side] = twice // (2 * factor)
        beside[2 * axis + 1, :side] = np.minimum(twice // (2 * factor) + 1, side // factor - 1)
        shares[axis, :side] = (twice % (2 * factor)).astype(np.float32) / np.float32(2 * factor)
    return beside, shares


def _suits(values: Tensor, u: Tensor) -> bool:
    flat = values.dim() == 4 and u.shape[1] == 2 and len(u) == 1 and values.numel() > 0
    return flat and u.dtype == torch.float32 and plain(values, u)


def _rows(u: Tensor) -> tuple[int, int]:
    """Rows, and how many of them are worth a thread."""
    rows = u.shape[2]
    return rows, max(1, LEAST * rows // max(1, math.prod(u.shape[2:])))
