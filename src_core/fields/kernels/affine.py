"""Fields at affine positions on the CPU by compiled loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.kernels.affine_loops import affine_2d, affine_3d
from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.tensors import TYPES, plain
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["affine_values", "can_sample_affinely"]

_AFFINE: dict[int, dict[str, Kernel[...]]] = {2: affine_2d, 3: affine_3d}


def can_sample_affinely(u: Tensor, part: Sequence[range]) -> bool:
    """Whether ``affine_values`` takes a field, and nothing needs its gradient."""
    return plain(u, u) and all(one.step == 1 for one in part) and ready(_loop(u))


def affine_values(
    u: Tensor,
    at: NDArray[np.float64],
    part: Sequence[range],
    scale: NDArray[np.float64],
    added: NDArray[np.float64],
) -> Tensor:
    """``s_c u_c(A x) + (P x)_c`` at the voxels of a part of a grid.

    Args:
        u: (B, D, *in), float32 or float64; its border continues.
        at: (D, D + 1), A, to voxels of u.
        part: voxels of the output along each axis.
        scale: (D,), s.
        added: (D, D + 1), P.

    Returns:
        (B, D, *part), of the type of u.
    """
    shape, first = [len(one) for one in part], tuple(one.start for one in part)
    out = torch.empty(len(u), len(part), *shape, dtype=u.dtype)
    if not out.numel():
        return out
    least = max(1, LEAST * shape[0] // math.prod(shape))
    for one, new in zip(u.detach().contiguous().numpy(), out.numpy(), strict=True):
        in_parts(partial(_loop(u), one, at, added, scale, first, new), shape[0], least)
    return out


def _loop(u: Tensor) -> Kernel[...]:
    return _AFFINE[u.shape[1]][TYPES[u.dtype]]
