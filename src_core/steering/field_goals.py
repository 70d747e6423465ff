"""Points that are dragged or pinned, regions that stay still, and a largest displacement."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.fields.sampling import sample
from src_core.steering.goals import Goal
from src_core.steering.kinds import LargestTarget, PointTarget, StillTarget
from src_core.steering.outcome import TargetOutcome
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart
from src_core.steering.prior import Constraints
from src_core.steering.shape_goals import distance_outcome

__all__ = ["LargestGoal", "PointGoal", "StillGoal", "field_at", "no_constraints", "point_weights"]

#: Places of large displacement that are made smaller at once, one of each block of this side.
_PEAKS, _BLOCK = 12, 6
#: Share of a largest displacement that is aimed at.
_BELOW = 0.97


class PointGoal(Goal):
    """A point of the source that is to be somewhere else, or stay."""

    target: PointTarget

    def __init__(self, target: PointTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        self._voxel = part.voxel_of(target.end)
        self._at = part.state_of(self._voxel)

    def left(self, after: Delivered) -> NDArray[np.float64]:
        """From where the end comes from to the start, LPS mm: (3,)."""
        comes_from = np.asarray(self.target.end) + field_at(after.field, self._voxel)
        return np.asarray(self.target.start) - comes_from

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        asked = np.subtract(self.target.end, self.target.start)
        return distance_outcome(self.target, asked, -self.left(after))

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        missing = self.left(after)
        wanted = self.part.state_vector((missing[0], missing[1], missing[2]))
        weights = point_weights(self._at, soft.u)
        gradients = torch.einsum("ij,...->ij...", gradient_at(soft.u, self._at), weights)
        return self.rows(
            list(gradients), wanted.tolist(), self.target.tolerance.value / self.part.mm
        )


class StillGoal(Goal):
    """A box that does not move: velocities are zero there, so nothing is left to ask for."""

    target: StillTarget

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        box = tuple(slice(low, high) for low, high in self.target.region)
        got = float(np.linalg.norm(after.field[box].astype(np.float64), axis=-1).max(initial=0.0))
        return TargetOutcome(
            self.target, 0.0, got, 0.0, got, "mm", got <= self.target.tolerance.value
        )

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        return no_constraints(soft)


class LargestGoal(Goal):
    """A largest displacement: smaller draws first, then the places that are still too far."""

    target: LargestTarget

    def reduction(self, after: Delivered) -> float:
        """What makes the largest displacement about as large as it may be."""
        found = self.outcome(after)
        return 1.0 if found.within else _BELOW * self.target.mm / found.got

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        got = float(np.sqrt(np.square(after.field.astype(np.float64)).sum(-1).max()))
        error = max(got - self.target.mm, 0.0)
        within = error <= self.target.tolerance.width(self.target.mm)
        return TargetOutcome(self.target, self.target.mm, got, 0.0, error, "mm", within)

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        length = torch.linalg.vector_norm(soft.u[0], dim=0) * self.part.mm
        gradients, wanted = [], []
        for place in _peaks(length, _PEAKS):
            excess = float(length[place]) - _BELOW * self.target.mm
            if excess > 0:
                at = torch.tensor(place, dtype=torch.float64)
                index: tuple[Any, ...] = (slice(None), *place)
                towards = soft.u[0][index].double()
                row = (towards / towards.norm()) @ gradient_at(soft.u, at)
                weights = point_weights(at, soft.u)
                gradients.append(torch.einsum("j,...->j...", row, weights))
                wanted.append(-excess / self.part.mm)
        if not gradients:
            return no_constraints(soft)
        return self.rows(gradients, wanted, self.target.tolerance.value / self.part.mm)


def no_constraints(soft: SoftLabels) -> Constraints:
    """Nothing to change."""
    none = soft.u.new_zeros(0, dtype=torch.float64)
    return Constraints(soft.u.new_zeros(0, *soft.u.shape[1:]), none, none)


def field_at(field: NDArray[np.float32], voxel: NDArray[np.float64]) -> NDArray[np.float64]:
    """A field (X, Y, Z, 3) between its voxels, borders continued: (3,)."""
    at = voxel[:, None]
    values = [
        ndimage.map_coordinates(field[..., i].astype(np.float64), at, order=1, mode="nearest")[0]
        for i in range(3)
    ]
    return np.array(values)


def point_weights(at: Tensor, u: Tensor) -> Tensor:
    """Weights of a state grid's voxels in linear interpolation at a position (D,): (*state)."""
    whole = torch.ones(())
    for axis, n in enumerate(u.shape[2:]):
        line = (
            1 - (torch.arange(n, dtype=torch.float64) - at[axis].clamp(0, n - 1)).abs()
        ).clamp_min(0)
        whole = whole[..., None] * line
    return whole.to(u.dtype)


def gradient_at(u: Tensor, at: Tensor) -> Tensor:
    """The gradient of the map x + u(x) at a position (D,): (D, D), float64."""
    ndim = len(at)
    steps = torch.cat([0.5 * torch.eye(ndim), -0.5 * torch.eye(ndim)]).double()
    places = (at.double() + steps).T.view(1, ndim, -1, *[1] * (ndim - 1))
    values = sample(u.double(), places)[0].view(ndim, -1)
    return torch.eye(ndim, dtype=torch.float64) + values[:, :ndim] - values[:, ndim:]


def _peaks(length: Tensor, count: int) -> list[tuple[int, ...]]:
    """The largest places of blocks of a length (*state), ``count`` at most."""
    flat = length.flatten().argsort(descending=True, stable=True)[: 64 * count]
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    for index in flat.tolist():
        place = tuple(int(i) for i in np.unravel_index(index, length.shape))
        found.setdefault(tuple(i // _BLOCK for i in place), place)
    return list(found.values())[:count]
