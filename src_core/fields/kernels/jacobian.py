"""Jacobian determinants on the CPU by compiled loops."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.jacobian_loops import determinants_2d, determinants_3d
from src_core.fields.kernels.tensors import TYPES, plain
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["can_determine", "determinants"]

_LOOPS: dict[int, dict[str, Kernel[...]]] = {2: determinants_2d, 3: determinants_3d}


def can_determine(u: Tensor) -> bool:
    """Whether ``determinants`` takes this field, and nothing needs its gradient."""
    return plain(u, u) and ready(_LOOPS[u.shape[1]][TYPES[u.dtype]])


def determinants(u: Tensor) -> Tensor:
    """``det(I + du/dx)`` of (B, D, *spatial), voxels, two or more along an axis: (B, *spatial)."""
    out = torch.empty(len(u), *u.shape[2:], dtype=u.dtype)
    loop, rows = _LOOPS[u.shape[1]][TYPES[u.dtype]], u.shape[2]
    least = max(1, LEAST * rows // math.prod(u.shape[2:]))
    for one in zip(u.detach().contiguous().numpy(), out.numpy(), strict=True):
        in_parts(partial(loop, *one), rows, least)
    return out
