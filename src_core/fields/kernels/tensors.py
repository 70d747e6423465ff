"""Which tensors and arrays the compiled loops take."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["TYPES", "plain", "readable", "unrecorded"]

#: NumPy's names of the types that positions and fields may have.
TYPES = {torch.float32: "float32", torch.float64: "float64"}


def plain(values: Tensor, at: Tensor) -> bool:
    """Whether positions or displacements (B, D, *any), and values for them, suit the loops.

    Both are on the CPU, ``at`` is float32 or float64, one item of ``values`` serves all of ``at``
    or each its own, and no gradient or recorded graph needs the result.
    """
    return (
        at.dtype in TYPES
        and at.shape[1] in (2, 3)
        and at.dim() == values.dim() == at.shape[1] + 2
        and len(values) in (1, len(at))
        and unrecorded(values, at)
    )


def unrecorded(*tensors: Tensor) -> bool:
    """Whether tensors are on the CPU, and no gradient or recorded graph needs what they give."""
    return (
        all(
            type(one) in (Tensor, torch.nn.Parameter) and one.device.type == "cpu"
            for one in tensors
        )
        and not (torch.is_grad_enabled() and any(one.requires_grad for one in tensors))
        and not torch.compiler.is_compiling()
    )


def readable(values: NDArray[Any]) -> NDArray[Any]:
    """An array, or a copy of one that is read-only, which the loops do not take."""
    return values if values.flags.writeable else values.copy()
