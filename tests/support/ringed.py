"""A ring with a disc in it and one beside it, on an oblique anisotropic grid: labels 2, 3 and 1."""

from __future__ import annotations

import numpy as np

from src_core.cases.case import Case
from tests.support.rings import oblique

__all__ = ["ringed_ball", "ringed_case"]


def ringed_case(slices: int = 2) -> Case:
    """Slices of 60 x 44 voxels of 1.5 x 1.2 mm."""
    x, y, z = np.indices((44, 60, slices)).astype(float)
    inner = np.hypot((x - 22) * 1.5, (y - 24) * 1.2) + z
    beside = np.hypot((x - 22) * 1.5, (y - 48) * 1.2) + z
    return _case(inner, beside, 12.0, 16.5, 8.0, oblique())


def ringed_ball() -> Case:
    """A volume of 30 x 34 x 26 voxels of 1.5 x 1.2 x 2 mm."""
    x, y, z = np.indices((30, 34, 26)).astype(float)
    inner = np.sqrt(((x - 14) * 1.5) ** 2 + ((y - 14) * 1.2) ** 2 + ((z - 12) * 2) ** 2)
    beside = np.sqrt(((x - 15) * 1.5) ** 2 + ((y - 29) * 1.2) ** 2 + ((z - 13) * 2) ** 2)
    return _case(inner, beside, 8.0, 12.0, 4.5, oblique((1.5, 1.2, 2.0)))


def _case(
    inner: np.ndarray, beside: np.ndarray, low: float, high: float, other: float, affine: np.ndarray
) -> Case:
    labels = np.where(inner < low, 3, np.where(inner < high, 2, np.where(beside < other, 1, 0)))
    image = np.array([20, 90, 60, 140])[labels] + 10 * np.cos(inner / 3)
    return Case.from_arrays(image.astype(np.int16), labels.astype(np.uint8), affine=affine)
