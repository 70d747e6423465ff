"""The part of a velocity that changes how large organs are, how they are turned and where they lie.

People differ in these; shear, bending and folds are no anatomy. A recovery that leaves this part
out of its corrections keeps what the random field made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.organ_maps import SMALLEST, OrganMaps, affine_basis

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
        basis: (K, n), float64: functions on the grid.
        combined: (M, D, K): each component of a mode as a sum of them.
        weights: (*n) of the fit, 0 to 1.
    """

    basis: Tensor
    combined: NDArray[np.float64]
    weights: Tensor

    @property
    def fields(self) -> Tensor:
        """(M, D, *n), float32."""
        return (torch.from_numpy(self.combined) @ self.basis).float().unflatten(-1, self._shape)

    def coefficients(self, velocity: Tensor) -> Tensor:
        """The rates of the modes in a velocity (D, *n), voxels: (M,), by weighted least squares."""
        weighted = self.basis * self.weights.flatten().double()
        products = (self.basis @ weighted.T).numpy()
        wanted = (velocity.flatten(1).double() @ weighted.T).numpy()
        flat = self.combined.reshape(len(self.combined), -1)
        gram = (self.combined @ products).reshape(flat.shape) @ flat.T
        gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        return torch.from_numpy(np.linalg.solve(gram, flat @ wanted.ravel()))

    def part(self, velocity: Tensor, factors: Tensor | None = None) -> Tensor:
        """The part of a velocity (D, *n) that the modes explain, each times its factor (M,)."""
        rates = self.coefficients(velocity)
        rates = rates if factors is None else rates * factors.double()
        found = torch.from_numpy(np.tensordot(rates.numpy(), self.combined, 1)) @ self.basis
        return found.view(velocity.shape).to(velocity)

    @property
    def _shape(self) -> torch.Size:
        return self.weights.shape


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
    return OrganModes(affine_basis(organs.windows()), _combined(organs), weights)


def _combined(organs: OrganMaps) -> NDArray[np.float64]:
    """The modes in the windows' affine basis: (M, D, (K + 1) (1 + D))."""
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
    return found.reshape(len(found), ndim, -1)
