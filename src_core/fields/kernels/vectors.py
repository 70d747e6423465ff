"""Displacement vectors of whole grids by compiled loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels import vector_loops as loops
from src_core.fields.kernels.compiled import ready
from src_core.fields.kernels.tensors import TYPES, plain, unrecorded
from src_core.fields.kernels.threads import in_parts

__all__ = [
    "can_convert",
    "can_enlarge",
    "can_measure",
    "can_take_magnitudes",
    "enlarged",
    "lengths",
    "magnitudes",
    "millimetres",
    "voxels",
]

#: Voxels that are worth a thread.
_LEAST = 1 << 16


def can_convert() -> bool:
    """Whether ``voxels`` and ``millimetres`` can be called."""
    return ready(loops.to_voxels, loops.from_voxels)


def can_measure(field: NDArray[np.float32]) -> bool:
    """Whether ``lengths`` can be called."""
    return field.dtype == np.float32 and ready(loops.total_lengths)


def can_enlarge(values: Tensor) -> bool:
    """Whether ``enlarged`` takes these values."""
    fits = values.dtype in TYPES and values.dim() in (4, 5) and values.numel() > 0
    return fits and unrecorded(values) and ready(loops.enlarge_lines[TYPES[values.dtype]])


def voxels(field: NDArray[np.float32], matrix: NDArray[np.float64], u: NDArray[np.float64]) -> None:
    """Vectors (X, Y, Z, 3) in mm to components u (D, X, Y, Z) in voxels, by a matrix (D, 3)."""
    matrix = np.ascontiguousarray(matrix)
    _layers(lambda start, stop: loops.to_voxels(field, matrix, u, start, stop), field.shape)


def millimetres(
    u: NDArray[np.float64], matrix: NDArray[np.float64], field: NDArray[np.float32]
) -> None:
    """The reverse of ``voxels``: each component's vector in mm is a row of the matrix (D, 3)."""
    matrix = np.ascontiguousarray(matrix)
    _layers(lambda start, stop: loops.from_voxels(u, matrix, field, start, stop), field.shape)


def lengths(field: NDArray[np.float32]) -> tuple[float, float]:
    """The largest length of the vectors (X, Y, Z, 3), and the sum of their lengths."""
    longest, total = np.empty(len(field)), np.empty(len(field))
    _layers(lambda a, b: loops.total_lengths(field, longest, total, a, b), field.shape)
    return float(np.sqrt(longest.max())), float(total.sum())


def can_take_magnitudes(u: Tensor) -> bool:
    """Whether ``magnitudes`` takes a field, and nothing needs its gradient."""
    return u.dim() > 3 and plain(u, u) and ready(loops.magnitudes[TYPES[u.dtype]])


def magnitudes(u: Tensor, spacing: Sequence[float]) -> Tensor:
    """Lengths of vectors (B, D, *spatial) times a spacing: (B, *spatial)."""
    out = torch.empty(len(u), *u.shape[2:], dtype=u.dtype)
    scale, loop = np.array(spacing, np.float64), loops.magnitudes[TYPES[u.dtype]]
    flat = u.detach().contiguous().flatten(2).numpy()
    for vectors, target in zip(flat, out.flatten(1).numpy(), strict=True):
        in_parts(partial(loop, vectors, scale, target), len(target), _LEAST)
    return out


def enlarged(values: Tensor, lines: Sequence[Tensor]) -> Tensor:
    """Linear values on a grid, borders continued.

    Args:
        values: (B, C, *in), float32 or float64.
        lines: positions along each axis, voxels of ``values``.

    Returns:
        (B, C, *out).
    """
    shape, count = list(values.shape[2:]), [len(line) for line in lines]
    add = [1] * (3 - len(shape))
    source = values.detach().contiguous().reshape(-1, *add, *shape).numpy()
    out = np.empty((len(source), *add, *count), source.dtype)
    places = [np.zeros(1)] * len(add) + [line.double().numpy() for line in lines]
    held = [p.clip(0, n - 1) for p, n in zip(places, source.shape[1:], strict=True)]
    a, b, c = (np.floor(one).astype(np.int64) for one in held)
    s, t, r = ((one - np.floor(one)).astype(source.dtype) for one in held)
    loop = loops.enlarge_lines[TYPES[values.dtype]]

    def layers(start: int, stop: int) -> None:
        line = np.empty(shape[-1], source.dtype)
        loop(source, (a, b, c), (s, t, r), line, out, start, stop)

    _layers(layers, out.shape[1:])
    return torch.from_numpy(out).view(*values.shape[:2], *count)


def _layers(work: Callable[[int, int], None], shape: Sequence[int]) -> None:
    layer = max(1, int(np.prod(shape[1:3])))
    in_parts(work, shape[0], max(1, _LEAST // layer))
