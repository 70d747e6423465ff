"""The part of a velocity that changes how large organs are, how they are turned and where they lie.

People differ in these; shear, bending and folds are no anatomy. A recovery that leaves this part
out of its corrections keeps what the random field made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.organ_maps import SMALLEST, OrganMaps
from src_core.fields.moments import affine_sum, moments

__all__ = ["OrganModes", "organ_modes", "organ_part"]

#: Weight of voxels outside every organ in the fit.
_OUTSIDE = 0.02
#: Added to the fit's matrix, of the mean of its diagonal: absent organs have modes of 0.
_RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class OrganModes:
    """Velocities that change organs without changing their shape.

    Mode by mode: the isotropic scaling of each organ about its centre, at a rate of 1; then the
    rotations of all together, at 1 radian, and their translations, by a voxel.

    Attributes:
        windows: (K, *n), float32.
        combined: (M, D, K, 1 + D): each component of a mode in each window, at the middle of the
            grid, and its derivatives.
        weights: (*n) of the fit, 0 to 1.
    """

    windows: Tensor
    combined: NDArray[np.float64]
    weights: Tensor

    @property
    def fields(self) -> Tensor:
        """(M, D, *n), float32."""
        flat = affine_sum(self.windows, self.combined.reshape(-1, *self.combined.shape[2:]))
        return flat.unflatten(0, self.combined.shape[:2])

    def coefficients(self, velocity: Tensor) -> Tensor:
        """The rates of the modes in a velocity (D, *n), voxels: (M,), by weighted least squares."""
        count, ndim = len(self.windows), len(velocity)
        one, other, products = _products(count, ndim)
        maps = torch.cat([self.windows, self.weights[None], velocity.to(self.windows)])
        sums = moments(maps, products)
        inner = np.empty((count, 1 + ndim, count, 1 + ndim))
        inner[one, :, other] = inner[other, :, one] = sums[: len(one)]
        wanted = sums[len(one) :, 0].ravel()
        flat = self.combined.reshape(len(self.combined), -1)
        size = count * (1 + ndim)
        gram = (flat.reshape(-1, size) @ inner.reshape(size, size)).reshape(flat.shape) @ flat.T
        gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        return torch.from_numpy(np.linalg.solve(gram, flat @ wanted))

    def part(self, velocity: Tensor, factors: Tensor | None = None) -> Tensor:
        """The part of a velocity (D, *n) that the modes explain, each times its factor (M,)."""
        rates = self.coefficients(velocity)
        rates = rates if factors is None else rates * factors.double()
        numbers = np.tensordot(rates.numpy(), self.combined, 1)
        return affine_sum(self.windows, numbers).to(velocity)


@lru_cache(maxsize=8)
def _products(
    count: int, ndim: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of windows, and all products of maps of a fit: windows, then weights and a velocity."""
    pairs = np.array([(k, m) for k in range(count) for m in range(k + 1)])
    inner = [(k, m, count) for k, m in pairs]
    outer = [(k, count, count + 1 + c) for c in range(ndim) for k in range(count)]
    return pairs[:, 0], pairs[:, 1], np.array(inner + outer)


def organ_part(velocity: Tensor, shares: Tensor, factors: Tensor | None = None) -> Tensor:
    """The part that scales each organ, and turns and shifts all of them together.

    Args:
        velocity: (B, D, *n), voxels of its grid.
        shares: (B, K, *n) or (1, K, *n), 0 to 1: how much of a voxel each organ fills; an organ is
            given without its holes, and may lie in another (a cavity in its wall).
        factors: (M,), of each mode, in the order of ``OrganModes``; None for 1.

    Returns:
        (B, D, *n); 0 where there are no organs.
    """
    shares = shares.expand(len(velocity), *shares.shape[1:])
    found = []
    for one, share in zip(velocity, shares, strict=True):
        modes = organ_modes(share)
        found.append(torch.zeros_like(one) if modes is None else modes.part(one, factors))
    return torch.stack(found)


def organ_modes(shares: Tensor) -> OrganModes | None:
    """The modes of organs (K, *n), each 0 to 1; 0 for an absent organ, None without any."""
    organs = OrganMaps.of(shares)
    if organs.sizes[-1] < SMALLEST:
        return None
    weights = organs.maps[-1].clamp(0, 1) + _OUTSIDE
    return OrganModes(organs.windows(), _combined(organs), weights)


def _combined(organs: OrganMaps) -> NDArray[np.float64]:
    """The modes in the windows: (M, D, K + 1, 1 + D)."""
    count, ndim = len(organs.maps) - 1, organs.centres.shape[1]
    turns = list(combinations(range(ndim), 2))
    centres = np.nan_to_num(organs.centres)  # an absent organ has no window
    found = np.zeros((count + len(turns) + ndim, ndim, count + 1, 1 + ndim))
    for axis in range(ndim):
        for k in range(count):
            found[k, axis, k, 0], found[k, axis, k, 1 + axis] = -centres[k, axis], 1
        found[axis - ndim, axis, count, 0] = 1
    for mode, (first, second) in zip(found[count:], turns, strict=False):
        mode[first, count, [0, 1 + second]] = centres[-1, second], -1
        mode[second, count, [0, 1 + first]] = -centres[-1, first], 1
    return found
