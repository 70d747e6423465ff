"""Intensities beyond an image's border, and in the type that they are stored in.

The rules hold for arrays and for tensors alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["background", "rounded", "stored"]

_A = TypeVar("_A", NDArray[Any], "Tensor")


def background(smallest: _A) -> _A:
    """Value outside an image, in physical units: its smallest where that is negative, else 0."""
    return smallest.clip(max=0)


def rounded(values: _A, low: int, high: int) -> _A:
    """The nearest whole numbers, halves to the even one, limited to a range."""
    return values.round().clip(low, high)


def stored(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values in a stored type: fractions are rounded for an integer type, and its limits hold."""
    if dtype.kind == "f" or values.dtype == dtype:
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return rounded(values, limits.min, limits.max).astype(dtype)
