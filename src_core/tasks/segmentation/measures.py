"""Segmentation measures of a test case, in 3D, on the network's grid, by MONAI's metrics.

Of each label, and their means: DSC, sensitivity, precision, the symmetric average surface distance
(ASD) in mm, and whether the label was missed altogether. A label that the truth lacks has none; a
label that is missed has 0, 0, 0 and no distance.
"""

from __future__ import annotations

import warnings
from math import nan

import numpy as np
import torch
from torch import Tensor

from src_core.tasks.segmentation.slice_stacks import one_hot

__all__ = ["MEASURES", "figures_of"]

#: Our name -> MONAI's.
_RATES = {"dsc": "f1 score", "sensitivity": "sensitivity", "precision": "precision"}
MEASURES = (*_RATES, "asd", "missed")


def figures_of(
    predicted: Tensor, truth: Tensor, labels: tuple[int, ...], spacing: tuple[float, float, float]
) -> dict[str, float]:
    """Figures of one case, by ``measure label``, and ``measure`` for the mean over its labels.

    Args:
        predicted, truth: classes (Z, n, n), index into background and labels.
        spacing: mm along the three axes.
    """
    found_masks, true_masks = (
        one_hot(classes, len(labels)).movedim(1, 0)[None] for classes in (predicted, truth)
    )
    found: dict[str, float] = {}
    for k, label in enumerate(labels):
        one = _of_label(found_masks[:, k : k + 1], true_masks[:, k : k + 1], spacing)
        found |= {f"{name} {label}": value for name, value in one.items()}
    for name in MEASURES:
        values = [found[f"{name} {label}"] for label in labels]
        found[name] = float(np.nanmean(values)) if np.isfinite(values).any() else nan
    return found


def _of_label(
    found_mask: Tensor, truth: Tensor, spacing: tuple[float, float, float]
) -> dict[str, float]:
    """(1, 1, Z, n, n), 0 or 1."""
    if not truth.any():
        return dict.fromkeys(MEASURES, nan)
    if not found_mask.any():
        return {**dict.fromkeys(_RATES, 0.0), "asd": nan, "missed": 1.0}
    from monai.metrics.confusion_matrix import (
        compute_confusion_matrix_metric,
        get_confusion_matrix,
    )
    from monai.metrics.surface_distance import compute_average_surface_distance

    matrix = get_confusion_matrix(found_mask, truth)
    rates = {
        name: float(compute_confusion_matrix_metric(metric, matrix))
        for name, metric in _RATES.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MONAI 1.5 warns of its own inner call
        distance = compute_average_surface_distance(
            found_mask, truth, include_background=True, symmetric=True, spacing=list(spacing)
        )
    return {**rates, "asd": float(torch.as_tensor(distance)), "missed": 0.0}
