"""Vectors of a field in other coordinates, and their lengths, by compiled loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.tensors import TYPES, plain, readable
from src_core.fields.kernels.threads import LEAST, in_parts
from src_core.fields.kernels.vector_loops import longest_and_total, magnitudes, transform

__all__ = ["block_lengths", "can_measure", "magnitudes_of", "transformed"]

_BLOCK = 1 << 14


def transformed(vectors: NDArray[Any], matrix: NDArray[np.float64], out: NDArray[Any]) -> bool:
    """Write ``matrix @ vector`` of every voxel; False, and nothing done, where the loops cannot.

    Args:
        vectors: (D, X, Y, Z), float32 or float64.
        matrix: (C, D), D = 2 or 3.
        out: (C, X, Y, Z), of the other of the two types.
    """
    kind, other = vectors.dtype.name, out.dtype.name
    if {kind, other} != {"float32", "float64"} or not ready(transform[kind]):
        return False
    rows, voxels = vectors.shape[1], max(1, math.prod(vectors.shape[1:]))
    loop = partial(transform[kind], readable(vectors), readable(np.ascontiguousarray(matrix)), out)
    in_parts(loop, rows, max(1, LEAST * rows // voxels))
    return True


def block_lengths(vectors: NDArray[Any]) -> NDArray[np.float64] | None:
    """Largest length and sum of lengths of blocks of vectors (..., 3): (blocks, 2), float64.

    None where the loops cannot take them. Blocks do not depend on the number of threads.
    """
    loop = longest_and_total.get(vectors.dtype.name)
    if loop is None or not ready(loop):
        return None
    flat = readable(np.ascontiguousarray(vectors)).reshape(-1, 3)
    out = np.empty((-(-len(flat) // _BLOCK), 2))
    in_parts(partial(loop, flat, _BLOCK, out), len(out), max(1, LEAST // _BLOCK))
    return out


def can_measure(u: Tensor) -> bool:
    """Whether ``magnitudes_of`` takes a field, and nothing needs its gradient."""
    return u.dim() > 3 and plain(u, u) and ready(magnitudes[TYPES[u.dtype]])


def magnitudes_of(u: Tensor, spacing: Sequence[float]) -> Tensor:
    """Lengths of vectors (B, D, *spatial) times a spacing: (B, *spatial)."""
    out = torch.empty(len(u), *u.shape[2:], dtype=u.dtype)
    scale, loop = np.asarray(spacing, np.float64), magnitudes[TYPES[u.dtype]]
    flat = u.detach().contiguous().flatten(2).numpy()
    for vectors, target in zip(flat, out.flatten(1).numpy(), strict=True):
        in_parts(partial(loop, vectors, scale, target), len(target))
    return out
