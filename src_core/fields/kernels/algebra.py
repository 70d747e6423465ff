"""Composition and exponential of fields on the CPU by compiled loops."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.compose_loops import compose_2d, compose_3d
from src_core.fields.kernels.tensors import TYPES, plain
from src_core.fields.kernels.threads import LEAST, in_parts

__all__ = ["can_compose", "composed", "squared"]

_COMPOSE: dict[int, dict[str, Kernel[...]]] = {2: compose_2d, 3: compose_3d}


def can_compose(u: Tensor, v: Tensor) -> bool:
    """Whether ``composed`` takes these fields, and nothing needs their gradient."""
    return (
        plain(u, v)
        and u.shape == v.shape
        and u.dtype == v.dtype
        and min(u.shape[2:]) > 1
        and ready(_compose(u))
    )


def composed(u: Tensor, v: Tensor) -> Tensor:
    """``v(x) + u(x + v(x))``, the border of u continued; both (B, D, *spatial), voxels."""
    out = torch.empty(v.shape, dtype=v.dtype)
    _compose_into(out, u.detach().contiguous(), v.detach().contiguous())
    return out


def squared(u: Tensor, times: int) -> Tensor:
    """A field (B, D, *spatial), voxels, composed with itself, and the result again."""
    if not times:
        return u
    rooms = [torch.empty(u.shape, dtype=u.dtype) for _ in range(min(times, 2))]
    compose, shape = _compose(u), tuple(u.shape[2:])
    written = [room.flatten(2).numpy() for room in rooms]
    for number, field in enumerate(u.detach().contiguous().flatten(2).numpy()):
        for turn in range(times):
            out = written[turn % 2][number]
            in_parts(partial(compose, field, field, out, shape), shape[0], _least(shape))
            field = out
    return rooms[(times - 1) % 2]


def _compose_into(out: Tensor, u: Tensor, v: Tensor) -> None:
    compose, shape = _compose(u), tuple(u.shape[2:])
    flat = (field.flatten(2).numpy() for field in (u, v, out))
    for one in zip(*flat, strict=True):
        in_parts(partial(compose, *one, shape), shape[0], _least(shape))


def _least(shape: tuple[int, ...]) -> int:
    """Rows that are worth a thread."""
    return max(1, LEAST * shape[0] // max(1, math.prod(shape)))


def _compose(u: Tensor) -> Kernel[...]:
    return _COMPOSE[u.shape[1]][TYPES[u.dtype]]
