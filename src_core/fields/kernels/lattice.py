"""Linear values of tensors at a lattice on the CPU, by compiled loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.lattice_loops import lattice
from src_core.fields.kernels.tensors import TYPES, plain
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["can_sample_lattice", "lattice_values"]


def can_sample_lattice(image: Tensor) -> bool:
    """Whether ``lattice_values`` takes an image, and nothing needs its gradient."""
    ndim = image.dim() - 2
    return (
        ndim in (2, 3)
        and plain(image, image[:, :1].expand(-1, ndim, *image.shape[2:]))
        and ready(lattice[TYPES[image.dtype]])
    )


def lattice_values(image: Tensor, axes: Sequence[Tensor]) -> Tensor:
    """Linear values where positions along the axes cross, the border continued.

    Args:
        image: (B, C, *in), float32 or float64.
        axes: positions along each axis, (n,) each, voxels.

    Returns:
        (B, C, *n).
    """
    lengths = [len(one) for one in axes]
    out = torch.empty(*image.shape[:2], *lengths, dtype=image.dtype)
    ends = [_ends(one, n) for one, n in zip(axes, image.shape[2:], strict=True)]
    values, written = image.detach().contiguous().numpy(), out.numpy()
    if len(axes) == 2:  # a middle axis of one voxel
        ends.insert(1, _ends(torch.zeros(1), 1))
        values, written = values[:, :, :, None], written[:, :, :, None]
    numbers = [one for three in ends for one in three]
    voxels = max(1, math.prod(lengths))
    loop: Kernel[...] = lattice[values.dtype.name]
    for source, target in zip(values, written, strict=True):
        work = partial(loop, source, *numbers, target)
        in_parts(work, lengths[0], max(1, LEAST * lengths[0] // voxels))
    return out


def _ends(at: Tensor, n: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The voxels below and above positions, and the share of the way between them."""
    held = np.clip(at.double().numpy(), 0, n - 1)
    low = np.clip(held.astype(np.int64), 0, max(n - 2, 0))
    return low, np.minimum(low + 1, n - 1), held - low
