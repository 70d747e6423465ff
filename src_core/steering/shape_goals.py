"""Shape and place of labels: second moments, centres, and a label that stays as it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.steering.amounts import Amount, Tolerance
from src_core.steering.goals import Goal, SizeGoal, outcome_of
from src_core.steering.kinds import HoldTarget, PlaceTarget, PointTarget, ShapeTarget, SizeTarget
from src_core.steering.label_measures import centre_lps, covariance_mm2, elongation_of
from src_core.steering.outcome import TargetOutcome
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart, labels_of
from src_core.steering.prior import Constraints, stacked

__all__ = ["HoldGoal", "PlaceGoal", "ShapeGoal"]

_PLACE = Tolerance(0.5, "mm")


class ShapeGoal(Goal):
    """Roundness, elongation or orientation of a label."""

    target: ShapeTarget

    def __init__(self, target: ShapeTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        turns = target.measure == "orientation"
        axes = tuple(a for a in range(3) if a != part.grid.slice_axis)
        self._axes = axes if turns else part.axes
        self.before = self._value(labels_of(part.labels))

    def _value(self, labels: NDArray[Any]) -> float:
        of = labels, self.target.label, self.part.grid, self._axes
        if self.target.measure == "orientation":
            return _angle(covariance_mm2(*of))
        elongation = elongation_of(*of)
        return elongation if self.target.measure == "elongation" else math.exp(-elongation)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        got = self._value(labels_of(after.labels))
        if self.target.measure == "orientation":
            low, high = self.target.amount.bounds(self.before)
            # an axis has no ends: the same direction every 180 degrees
            got += 180 * round(((low + high) / 2 - got) / 180)
        return outcome_of(self.target, self.target.amount, self.before, got)

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        found = self.outcome(after)
        wanted, exact = found.asked - found.got, self.target.tolerance.width(found.asked)
        if self.target.measure == "orientation":
            wanted, exact = math.radians(wanted), math.radians(exact)
        weights = self._weights(soft)
        if self.target.measure == "roundness":
            weights = -found.got * weights
        return self.rows([soft.change(self.target.label, weights)], [wanted], exact)

    def _weights(self, soft: SoftLabels) -> Tensor:
        """Change of the elongation, or of the angle, by a voxel more of the label: (*size)."""
        share = soft.warped(self.target.label)
        chosen = [self.part.axes.index(a) for a in self._axes]
        points = soft.points[chosen]
        total = share.sum().clamp_min(1e-3)
        offset = points - _mean(points, share)
        flat = offset.flatten(1).double()
        moments = (flat * share.flatten().double()) @ flat.T / float(total)
        squares, axes = torch.linalg.eigh(moments)
        along = torch.einsum("ij,i...->j...", axes.to(offset), offset)
        if self.target.measure == "orientation":
            short, long = axes[:, 0], axes[:, 1]
            sign = float(long[0] * short[1] - long[1] * short[0])
            spread = max(float(squares[1] - squares[0]), 0.05 * float(squares[1]))
            return sign * along[0] * along[1] / (spread * total)
        first, last = float(squares[0]), float(squares[-1])
        return (along[-1] ** 2 / last - along[0] ** 2 / first) / (2 * total)


class PlaceGoal(Goal):
    """Shift of a label's centre."""

    target: PlaceTarget

    def __init__(self, target: PlaceTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        self._centre = centre_lps(labels_of(part.labels), target.label, part.grid)

    def left(self, after: Delivered) -> NDArray[np.float64]:
        """The shift that is still missing, LPS mm: (3,); with a 2D model, in the plane."""
        now = centre_lps(labels_of(after.labels), self.target.label, self.part.grid)
        missing = self._centre + self.target.shift - now
        missing = np.where(np.isfinite(missing), missing, np.asarray(self.target.shift))
        return self.part.in_plane(missing)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        return distance_outcome(self.target, np.asarray(self.target.shift), self.left(after))

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        missing = self.left(after)
        wanted = self.part.state_vector((missing[0], missing[1], missing[2]))
        share = soft.warped(self.target.label)
        offset = soft.points - _mean(soft.points, share)
        by = soft.factor * share.sum().clamp_min(1e-3)
        gradients = [soft.change(self.target.label, one / by) for one in offset]
        return self.rows(gradients, wanted.tolist(), self.target.tolerance.value / self.part.mm)


class HoldGoal(Goal):
    """A label that keeps its size and place."""

    target: HoldTarget

    def __init__(self, target: HoldTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        size = SizeTarget(target.label, Amount("times", 1, 1), tolerance=target.tolerance)
        place = PlaceTarget(target.label, (0.0, 0.0, 0.0), tolerance=_PLACE)
        self._size = SizeGoal(replace(size, weight=target.weight), part)
        self._place = PlaceGoal(replace(place, weight=target.weight), part)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        size, place = self._size.outcome(after), self._place.outcome(after)
        return replace(size, target=self.target, within=size.within and place.within)

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        return stacked([goal.constraints(after, soft) for goal in (self._size, self._place)])


def distance_outcome(
    target: PlaceTarget | PointTarget, asked: NDArray[np.float64], left: NDArray[np.float64]
) -> TargetOutcome:
    """The outcome of a vector, mm: how far it was to go, and went in that direction."""
    length, error = float(np.linalg.norm(asked)), float(np.linalg.norm(left))
    went = asked - left
    got = float(went @ asked) / length if length > 0 else float(np.linalg.norm(went))
    within = error <= target.tolerance.width(length)
    return TargetOutcome(target, length, got, 0.0, error, "mm", within)


def _mean(points: Tensor, share: Tensor) -> Tensor:
    """The mean of points (D, *size) over a share (*size): (D, 1, ...)."""
    mean = (points * share).flatten(1).sum(1) / share.sum().clamp_min(1e-3)
    return mean.view(-1, *[1] * share.dim())


def _angle(moments: NDArray[np.float64]) -> float:
    """Direction of the longest axis from the first axis to the second, degrees: -90 to 90."""
    if not np.isfinite(moments).all():
        return 0.0
    return float(np.degrees(np.arctan2(2 * moments[0, 1], moments[0, 0] - moments[1, 1]) / 2))
