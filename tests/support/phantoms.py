"""The labels of the phantom, and its volumes counted in voxels."""

from __future__ import annotations

import numpy as np

from src_core.phantom import Phantom

__all__ = ["END_SYSTOLE", "LV", "MYOCARDIUM", "RV", "SMALL", "deviation", "voxel_ml"]


SMALL = {"slices": 3, "phases": 2, "shape": (96, 112), "spacing": (2.6, 2.4, 9.0)}


RV, MYOCARDIUM, LV = 1, 2, 3


END_SYSTOLE = 8


def voxel_ml(phantom: Phantom, label: int) -> np.ndarray:
    count = (phantom.labels == label).sum(axis=(0, 1, 2))
    return count * np.prod(phantom.spacing) / 1000


def deviation(phantom: Phantom, label: int) -> float:
    return float(np.abs(voxel_ml(phantom, label) / phantom.volumes_ml[label] - 1).max())
