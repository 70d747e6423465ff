"""How well a field aligns the labels of a real pair, and how much it folds.

Labels are warped as shares, and the largest share wins. Dice is over all slices of a pair; surface
distances are means over the slices, or the volume, that show the label in both images.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from src_core.evaluation.cases import label_map
from src_core.fields import certify, folding_permille, magnitude
from src_core.fields.sampling import warp
from src_core.tasks.registration.window import InputWindow, WindowedCase

__all__ = ["FIELD_MEASURES", "LABEL_MEASURES", "Pair", "figures_of", "shown_slabs"]

#: Moving, fixed.
Pair = tuple[WindowedCase, WindowedCase]

LABEL_MEASURES = ("dsc", "asd_voxels", "hd_voxels", "asd_mm", "hd_mm")
FIELD_MEASURES = ("central", "strict", "mean_mm", "max_mm")
_AT_ONCE = 16


def shown_slabs(pair: Pair) -> list[int]:
    """Slabs that show a label in at least one case of a pair."""
    return sorted({*pair[0].labelled(), *pair[1].labelled()})


def figures_of(
    network: nn.Module | None,
    pair: Pair,
    labels: Sequence[int],
    window: InputWindow,
) -> dict[str, float]:
    """Figures of a pair, by ``measure label``, and ``measure`` for the mean over its labels.

    Args:
        network: None leaves the moving image as it is.
    """
    moving, fixed = pair
    slabs = shown_slabs(pair)
    u = _field(network, pair, slabs, window)
    shares = warp(moving.masks(slabs), u, padding="zeros")
    warped, target = (_maps(part, labels) for part in (shares, fixed.masks(slabs)))
    found = _of_field(u, fixed.mm_per_voxel)
    for value in labels:
        one = _overlap(warped == value, target == value, fixed.mm_per_voxel)
        found |= {f"{name} {value}": figure for name, figure in one.items()}
    for name in LABEL_MEASURES:
        known = [found[f"{name} {v}"] for v in labels if np.isfinite(found[f"{name} {v}"])]
        found[name] = float(np.mean(known)) if known else nan
    return found


@torch.inference_mode()
def _field(
    network: nn.Module | None,
    pair: Pair,
    slabs: Sequence[int],
    window: InputWindow,
) -> Tensor:
    """(B, D, *size), voxels."""
    both = torch.cat([case.image(slabs, window) for case in pair], 1)
    if network is None:
        return both.new_zeros(len(both), both.dim() - 2, *both.shape[2:])
    device = next(network.parameters()).device
    return torch.cat([network(part.to(device)).cpu() for part in both.split(_AT_ONCE)])


def _maps(shares: Tensor, labels: Sequence[int]) -> NDArray[np.integer]:
    return np.stack([label_map(share[None], tuple(labels)) for share in shares])


def _of_field(u: Tensor, mm_per_voxel: float) -> dict[str, float]:
    length = magnitude(u) * mm_per_voxel
    return {
        "central": float(folding_permille(u).mean()),
        "strict": float(np.mean([c.strict_folding_permille for c in certify(u.double())])),
        "mean_mm": float(length.mean()),
        "max_mm": float(length.max()),
    }


def _overlap(
    warped: NDArray[np.bool_], target: NDArray[np.bool_], mm_per_voxel: float
) -> dict[str, float]:
    """Of one label, (S, *size) each; NaN where the fixed image does not show it."""
    if not target.any():
        return dict.fromkeys(LABEL_MEASURES, nan)
    dice = 2 * int((warped & target).sum()) / int(warped.sum() + target.sum())
    both = [u for u in range(len(warped)) if warped[u].any() and target[u].any()]
    asd, hd = _surfaces(warped[both], target[both]) if both else (nan, nan)
    figures = (dice, asd, hd, asd * mm_per_voxel, hd * mm_per_voxel)
    return dict(zip(LABEL_MEASURES, figures, strict=True))


def _surfaces(warped: NDArray[np.bool_], target: NDArray[np.bool_]) -> tuple[float, float]:
    """Average and largest distance of two surfaces, voxels, both ways: means over slabs.

    A surface is the voxels of a mask with a neighbour outside it, or on the border of the array.
    """
    found = []
    for masks in zip(warped, target, strict=True):
        edges = [mask & ~ndimage.binary_erosion(mask) for mask in masks]
        one, other = (ndimage.distance_transform_edt(~edge) for edge in edges)
        both = np.concatenate([other[edges[0]], one[edges[1]]])
        found.append((both.mean(), both.max()))
    average, largest = np.mean(found, axis=0)
    return float(average), float(largest)
