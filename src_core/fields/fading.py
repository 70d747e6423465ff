"""Windows around regions: 1 inside, falling to 0 at a reach as half a cosine of the distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.fields.kernels.fading import can_fade, faded, squared_distances

__all__ = ["fading_windows", "windows_by_scipy"]


def fading_windows(
    maps: Tensor,
    least: Sequence[float],
    reaches: Sequence[float],
    yields: Sequence[tuple[int, int]] = (),
    gap: float = 1.0,
) -> Tensor:
    """One window for each region.

    Args:
        maps: (K, *n), float32.
        least: smallest value of each region's voxels; infinite for a region that is absent.
        reaches: of each window, voxels: distances from the region at which it is 0.
        yields: pairs of regions: the first one's window makes way for the second region.
        gap: distance from the second region at which it no longer does, voxels.

    Returns:
        (K, *n), float32, 0 to 1; 0 for an absent region.
    """
    if can_fade(maps):
        needed = {second for _, second in yields}
        away = [max(reach, gap) if k in needed else reach for k, reach in enumerate(reaches)]
        squares = squared_distances(maps, least, away)
        return faded(squares, reaches, yields, gap)
    return windows_by_scipy(maps, least, reaches, yields, gap)


def windows_by_scipy(
    maps: Tensor,
    least: Sequence[float],
    reaches: Sequence[float],
    yields: Sequence[tuple[int, int]],
    gap: float,
) -> Tensor:
    """What ``fading_windows`` gives, by SciPy."""
    pairs = zip(maps.cpu().numpy(), least, strict=True)
    distances = [_distance(values >= np.float32(low)) for values, low in pairs]
    windows = [_fading(*pair) for pair in zip(distances, reaches, strict=True)]
    for first, second in yields:
        windows[first] = windows[first] * (1 - _fading(distances[second], gap))
    return torch.from_numpy(np.stack(windows)).to(maps.device)


def _distance(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not region.any():
        return np.full(region.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~region))


def _fading(distance: NDArray[np.float64], reach: float) -> NDArray[np.float32]:
    share = np.clip(distance / reach, 0, 1) if reach > 0 else np.ones_like(distance)
    return (0.5 + 0.5 * np.cos(np.pi * share)).astype(np.float32)
