"""An oblique grid, and a case on it that linear interpolation gives exactly."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case

__all__ = ["oblique", "ramp"]


def oblique(flip: float = 1.0) -> NDArray[np.float64]:
    cos, sin = math.cos(0.5), math.sin(0.5)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, cos, -sin], [0, sin, cos]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn * [flip * 1.2, 0.9, 4.0]
    affine[:3, 3] = 11, -23, 37
    return affine


def ramp(shape: tuple[int, int, int], flip: float = 1.0) -> Case:
    """An image that linear interpolation gives exactly, above 0 wherever a point may come to."""
    x, y, z = np.indices(shape).astype(np.float64)
    labels = np.zeros(shape, np.uint8)
    labels[shape[0] // 3 : 2 * shape[0] // 3, shape[1] // 4 : 3 * shape[1] // 4, 1:-1] = 2
    values = 100 + 3 * x - 2 * y + 5 * z + 2 * shape[1]
    return Case.from_arrays(values, labels, affine=oblique(flip), name="ramp")
