"""Organs on a grid: their sizes and centres, which lie in others, and windows around them.

Fields that follow organs are affine in each window: ``v(x) = sum_k w_k(x) (A_k x + b_k)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.fading import fading_windows
from src_core.fields.sampling import identity

__all__ = ["SMALLEST", "OrganMaps", "affine_basis", "centred_points"]

#: Organs smaller than this, voxels, count as absent.
SMALLEST = 1.5
#: Distances, in radii of all organs together, at which a window has faded out: around an organ,
#: around one that lies in another, around all of them.
_REACH, _REACH_INSIDE, _REACH_OF_ALL = 1.8, 0.9, 2.7
#: The same where an organ's window makes way for a neighbour.
_GAP = 0.9
#: An organ lies in a larger one with at least this share of its size.
_INSIDE = 0.7


@dataclass(frozen=True, eq=False)
class OrganMaps:
    """Organs with what fits to them need.

    Attributes:
        maps: (K + 1, *n), float32, 0 to 1, how much of a voxel each organ fills; the last one is
            that of all organs together.
        sizes: (K + 1,), voxels.
        centres: (K + 1, D), voxels from the middle of the grid; not a number without an organ.
        inside: pairs (i, j): organ i lies in organ j.
    """

    maps: Tensor
    sizes: tuple[float, ...]
    centres: NDArray[np.float64]
    inside: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, shares: Tensor) -> OrganMaps:
        """Of the maps (K, *n) of some organs, on the CPU."""
        organs = shares.float()
        maps = torch.cat([organs, organs.amax(0, keepdim=True)])
        moments = (maps.flatten(1).double() @ centred_points(maps.shape[1:]).T).numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            centres = moments[:, 1:] / moments[:, :1]
        sizes = tuple(moments[:, 0].tolist())
        return cls(maps, sizes, centres, frozenset(_nested(organs.flatten(1), sizes)))

    @property
    def radius(self) -> float:
        """Of the disc or ball of the size of all organs together, voxels."""
        if self.maps.dim() == 3:
            return float((self.sizes[-1] / math.pi) ** 0.5)
        return float((0.75 * self.sizes[-1] / math.pi) ** (1 / 3))

    @property
    def depths(self) -> list[int]:
        """In how many others each organ lies."""
        return [sum(i == k for i, _ in self.inside) for k in range(len(self.maps) - 1)]

    def windows(self, chosen: Sequence[int] | None = None) -> Tensor:
        """Where each organ's field acts, and that of all together: (K + 1, *n), 0 to 1.

        1 inside, fading around; an organ's window makes way for later ones but those it is nested
        with. 0 for an absent organ. ``chosen`` are the numbers of the windows to be made, then
        (len(chosen), *n); None for all.
        """
        wanted = list(range(len(self.maps))) if chosen is None else list(chosen)
        beside = [pair for pair in self._beside() if pair[0] in wanted]
        needed = wanted + sorted({second for _, second in beside}.difference(wanted))
        maps = self.maps if chosen is None else self.maps[needed]
        highest = maps.flatten(1).amax(1).tolist()
        least = [
            0.5 * high if self.sizes[k] >= SMALLEST else math.inf
            for k, high in zip(needed, highest, strict=True)
        ]
        shares, depths = [_REACH_OF_ALL] * len(self.maps), self.depths
        shares[:-1] = [_REACH_INSIDE if depth else _REACH for depth in depths]
        reaches = [(shares[k] if k in wanted else _GAP) * self.radius for k in needed]
        places = [(needed.index(first), needed.index(second)) for first, second in beside]
        return fading_windows(maps, least, reaches, places, _GAP * self.radius)[: len(wanted)]

    def _beside(self) -> list[tuple[int, int]]:
        """Pairs of organs of which neither lies in the other."""
        return [
            pair
            for pair in combinations(range(len(self.maps) - 1), 2)
            if pair not in self.inside and pair[::-1] not in self.inside
        ]


def _nested(organs: Tensor, sizes: Sequence[float]) -> list[tuple[int, int]]:
    """Pairs of organs (K, n): the first lies in the second, larger one."""
    found = []
    for i, j in combinations(range(len(organs)), 2):
        small, large = (i, j) if sizes[i] < sizes[j] else (j, i)
        common = float(torch.minimum(organs[i], organs[j]).sum())
        if SMALLEST <= sizes[small] < sizes[large] and common >= _INSIDE * sizes[small]:
            found.append((small, large))
    return found


@lru_cache(maxsize=4)
def centred_points(shape: torch.Size) -> Tensor:
    """1 and the position of each voxel of a grid from its middle: (1 + D, n), float64."""
    at = identity(shape, torch.zeros(1, dtype=torch.float64))[0].flatten(1)
    middle = torch.tensor([(n - 1) / 2 for n in shape], dtype=torch.float64)
    return torch.cat([torch.ones_like(at[:1]), at - middle[:, None]])


def affine_basis(windows: Tensor) -> Tensor:
    """Windows (K, *n) times 1 and times each coordinate: (K (1 + D), n), float64."""
    points = centred_points(windows.shape[1:])
    return (windows.flatten(1).double()[:, None] * points).flatten(0, 1)
