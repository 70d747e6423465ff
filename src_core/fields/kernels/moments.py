"""Moments of maps, and sums of affine fields in windows, on the CPU by compiled loops."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels import moment_loops as loops
from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.tensors import unrecorded
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["can_sum", "summed_affine", "summed_moments"]

_FIRST, _SECOND = (np.array(part) for part in zip(*loops.TERMS, strict=True))


def can_sum(maps: Tensor) -> bool:
    """Whether the loops take these maps (K, *n), and nothing needs a gradient."""
    fits = maps.dtype == torch.float32 and maps.dim() in (3, 4) and maps.numel() > 0
    return fits and unrecorded(maps) and ready(loops.moments, loops.affine_sums)


def summed_moments(maps: Tensor, products: NDArray[np.int64]) -> NDArray[np.float64]:
    """What ``fields.moments.moments`` gives."""
    flat, ndim, shape = maps.detach().contiguous().flatten(1).numpy(), maps.dim() - 1, _three(maps)
    sums = np.empty((len(products), len(loops.TERMS)))

    def work(start: int, stop: int) -> None:
        room = np.empty(6 * loops.AT_ONCE)
        loops.moments(flat, products, shape, room, sums, start, stop)

    in_parts(work, len(products), max(1, LEAST // flat.shape[1]))
    whole = np.empty((len(products), 4, 4))
    whole[:, _FIRST, _SECOND] = whole[:, _SECOND, _FIRST] = sums
    kept = [0, *range(4 - ndim, 4)]
    return whole[:, kept][:, :, kept]


def summed_affine(windows: Tensor, numbers: NDArray[np.float64]) -> Tensor:
    """What ``fields.moments.affine_sum`` gives."""
    flat, shape = windows.detach().contiguous().flatten(1).numpy(), _three(windows)
    out, ndim = torch.empty(len(numbers), *windows.shape[1:]), windows.dim() - 1
    padded = np.zeros((*numbers.shape[:2], 4))
    padded[..., 0], padded[..., 4 - ndim :] = numbers[..., 0], numbers[..., 1:]
    written = out.flatten(1).numpy()

    def work(start: int, stop: int) -> None:
        loops.affine_sums(flat, padded, shape, np.empty(shape[2]), written, start, stop)

    in_parts(work, shape[0] * shape[1], max(1, LEAST // shape[2]))
    return out


def _three(maps: Tensor) -> tuple[int, int, int]:
    """The shape of the grid of maps (K, *n), with one layer in 2D."""
    a, b, c = (1, *maps.shape[1:])[-3:]
    return a, b, c
