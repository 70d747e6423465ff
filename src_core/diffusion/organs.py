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
from scipy import ndimage
from torch import Tensor

from src_core.fields.sampling import identity

__all__ = [
    "OrganModes",
    "centre_of",
    "lies_in",
    "organ_modes",
    "organ_part",
    "radius_of",
    "windows_of",
]

#: Distances, in radii of all organs together, at which a mode has faded out: around an organ,
#: around one that lies in another, around all of them.
_REACH, _REACH_INSIDE, _REACH_OF_ALL = 1.8, 0.9, 2.7
#: The same where an organ's mode makes way for a neighbour.
_GAP = 0.9
#: An organ lies in a larger one with at least this share of its size.
_INSIDE = 0.7
#: Organs smaller than this, voxels, have no modes.
_SMALLEST = 1.5
#: Weight of voxels outside every organ in the fit.
_OUTSIDE = 0.02


@dataclass(frozen=True, eq=False)
class OrganModes:
    """Velocities that change organs without changing their shape.

    Attributes:
        fields: (M, D, *n): the isotropic scaling of each organ about its centre, at a rate of 1;
            then the rotations of all together, at 1 radian, and their translations, by a voxel.
        weights: (*n) of the fit, 0 to 1.
    """

    fields: Tensor
    weights: Tensor

    def coefficients(self, velocity: Tensor) -> Tensor:
        """The rates of the modes in a velocity (D, *n), voxels: (M,), by weighted least squares."""
        root = self.weights.double().sqrt().flatten()
        matrix = (self.fields.double().flatten(2) * root).flatten(1)
        wanted = (velocity.double().flatten(1) * root).flatten()
        gram = matrix @ matrix.T
        ridge = 1e-6 * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        return torch.linalg.solve(gram + ridge, matrix @ wanted)

    def part(self, velocity: Tensor, factors: Tensor | None = None) -> Tensor:
        """The part of a velocity (D, *n) that the modes explain, each times its factor (M,)."""
        rates = self.coefficients(velocity).to(velocity)
        rates = rates if factors is None else rates * factors.to(rates)
        return torch.einsum("m,m...->...", rates, self.fields.to(velocity))


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
    organs, union = list(shares.float()), shares.float().amax(0)
    if union.sum() < _SMALLEST:
        return None
    radius, points = radius_of(union), identity(union.shape, union)[0]
    fields = [
        _scaling(organ, points) * window
        for organ, window in zip(organs, windows_of(organs, radius), strict=True)
    ]
    window = _fading(_distance(union), _REACH_OF_ALL * radius)
    offset = points - centre_of(union, points)
    fields += [turn * window for turn in _rotations(offset)]
    fields += [_unit(axis, offset) * window for axis in range(union.dim())]
    return OrganModes(torch.stack(fields), union.clamp(0, 1) + _OUTSIDE)


def _scaling(organ: Tensor, points: Tensor) -> Tensor:
    if organ.sum() < _SMALLEST:
        return torch.zeros_like(points)
    return points - centre_of(organ, points)


def windows_of(organs: list[Tensor], radius: float) -> list[Tensor]:
    """Where each organ's scaling acts: 1 inside, fading around, and not in its neighbours."""
    inside = {(i, j) for i, j in _ordered(len(organs)) if lies_in(organs[i], organs[j])}
    nested = {i for i, _ in inside}
    distances = [_distance(organ) for organ in organs]
    windows = [
        _fading(distance, (_REACH_INSIDE if i in nested else _REACH) * radius)
        for i, distance in enumerate(distances)
    ]
    for i, j in combinations(range(len(organs)), 2):
        if (i, j) not in inside and (j, i) not in inside:
            windows[i] = windows[i] * (1 - _fading(distances[j], _GAP * radius))
    return windows


def _ordered(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(count) if i != j]


def lies_in(organ: Tensor, other: Tensor) -> bool:
    """Whether an organ (*n) lies in a larger one."""
    common = torch.minimum(organ, other).sum()
    return bool(other.sum() > organ.sum() and common >= _INSIDE * organ.sum())


def _distance(organ: Tensor) -> NDArray[np.float64]:
    """Of each voxel from an organ (*n), voxels; infinite without one."""
    if organ.sum() < _SMALLEST:
        return np.full(organ.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(organ.numpy() < 0.5 * float(organ.max())))


def _fading(distance: NDArray[np.float64], reach: float) -> Tensor:
    """1 in an organ, falling to 0 at ``reach`` voxels as half a cosine: float32."""
    ramp = np.clip(distance / reach, 0, 1)
    return torch.from_numpy((0.5 + 0.5 * np.cos(np.pi * ramp)).astype(np.float32))


def radius_of(organ: Tensor) -> float:
    """Of the disc or ball of the same size, voxels."""
    size = float(organ.sum())
    return float((size / np.pi) ** 0.5 if organ.dim() == 2 else (0.75 * size / np.pi) ** (1 / 3))


def centre_of(organ: Tensor, points: Tensor) -> Tensor:
    """The mean of points (D, *n) over an organ (*n): (D, 1, ...)."""
    centre = (points * organ).flatten(1).sum(1) / organ.sum()
    return centre.view(-1, *[1] * organ.dim())


def _rotations(offset: Tensor) -> list[Tensor]:
    """Velocities of a turn in each plane of two axes, 1 radian."""
    turns = []
    for first, second in combinations(range(len(offset)), 2):
        turn = torch.zeros_like(offset)
        turn[first], turn[second] = -offset[second], offset[first]
        turns.append(turn)
    return turns


def _unit(axis: int, like: Tensor) -> Tensor:
    field = torch.zeros_like(like)
    field[axis] = 1
    return field
