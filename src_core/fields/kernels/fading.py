"""Windows around regions on the CPU, by compiled loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from src_core.fields.kernels import fading_loops as loops
from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.tensors import unrecorded
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["can_fade", "faded", "squared_distances"]


def can_fade(maps: Tensor) -> bool:
    """Whether the loops take these maps (K, *n), and nothing needs a gradient."""
    fits = maps.dtype == torch.float32 and maps.dim() in (3, 4) and maps.numel() > 0
    return fits and unrecorded(maps) and ready(loops.square_distances, loops.fade)


def squared_distances(maps: Tensor, least: Sequence[float], reaches: Sequence[float]) -> Tensor:
    """Squared distances from each region (K, *n), voxels, int32.

    Args:
        maps: (K, *n), float32.
        least: smallest value of each region's voxels.
        reaches: distances from each region, voxels, beyond which values may be too large.
    """
    shape, limits = (1, *maps.shape[1:])[-3:], [math.ceil(reach) ** 2 for reach in reaches]
    values, out = maps.detach().contiguous().flatten(1), torch.empty(maps.shape, dtype=torch.int32)
    given = values.numpy(), np.array(least, np.float32), shape, np.array(limits)
    written = out.flatten(1).numpy()

    def work(start: int, stop: int) -> None:
        copy = np.empty(max(shape[0], shape[1]) * shape[2], np.int32)
        loops.square_distances(*given, copy, written, start, stop)

    in_parts(work, len(maps), max(1, LEAST // values.shape[1]))
    return out


def faded(
    squares: Tensor, reaches: Sequence[float], yields: Sequence[tuple[int, int]], gap: float
) -> Tensor:
    """Windows (K, *n) of squared distances, as ``fading_windows`` has them."""
    out, pairs = torch.empty(squares.shape), np.array(yields, np.int64).reshape(-1, 2)
    scales = np.array([1 / reach**2 if reach > 0 else np.inf for reach in (*reaches, gap)])
    flat, written = squares.flatten(1).numpy(), out.flatten(1).numpy()
    work = partial(loops.fade, flat, scales[:-1], pairs, float(scales[-1]), written)
    in_parts(work, flat.shape[1])
    return out
