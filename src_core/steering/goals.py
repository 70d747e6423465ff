"""Targets measured on a part of a case, and what a further velocity would change of them.

What is measured is the label map and the field as they are delivered; gradients are those of the
labels' shares on the model's grid.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.steering.amounts import Amount, Tolerance
from src_core.steering.kinds import RatioTarget, SizeTarget, Target, ThicknessTarget
from src_core.steering.label_measures import (
    area_mm2,
    enclosed_label,
    slices_with,
    thickness_mm,
    volume_ml,
)
from src_core.steering.outcome import TargetOutcome
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart, labels_of
from src_core.steering.prior import Constraints

__all__ = ["EXACTNESS", "Goal", "RatioGoal", "SizeGoal", "ThicknessGoal", "outcome_of"]

#: Share of a tolerance that the search aims at: labels on a grid change in steps.
EXACTNESS = 0.2


class Goal(ABC):
    """One target on one part."""

    def __init__(self, target: Target, part: SteeredPart) -> None:
        self.target, self.part = target, part
        self.before = 0.0

    @abstractmethod
    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""

    @abstractmethod
    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change, R rows."""

    def reduction(self, after: Delivered) -> float:
        """A factor on all draws that the target asks for; 1 for most."""
        return 1.0

    def rows(self, gradients: list[Tensor], wanted: list[float], exact: float) -> Constraints:
        """Constraints of a few numbers, all as exact."""
        deviation = max(EXACTNESS * exact / self.target.weight, 1e-9)
        numbers = torch.tensor(wanted, dtype=torch.float64)
        return Constraints(torch.stack(gradients), numbers, torch.full_like(numbers, deviation))


def outcome_of(target: Target, amount: Amount, before: float, got: float) -> TargetOutcome:
    """The outcome of an amount of something that was ``before`` and is now ``got``."""
    low, high = amount.bounds(before)
    asked = min(max(got, low), high)
    unit, by = ("x", before) if amount.kind == "times" else (amount.unit, 1.0)
    error = abs(got - asked)
    within = error <= target.tolerance.width(asked) + 1e-12
    return TargetOutcome(target, asked / by, got / by, before / by, error / by, unit, within)


class SizeGoal(Goal):
    """Volume or area of a label."""

    target: SizeTarget

    def __init__(self, target: SizeTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        self._slices = slices_with(labels_of(part.labels), target.label, part.grid)
        self.before = self._size(labels_of(part.labels))

    def _size(self, labels: NDArray[Any]) -> float:
        if self.target.area:
            return area_mm2(labels, self.target.label, self.part.grid, self._slices)
        return volume_ml(labels, self.target.label, self.part.grid)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        return outcome_of(
            self.target, self.target.amount, self.before, self._size(labels_of(after.labels))
        )

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        found = self.outcome(after)
        return self.rows(
            [log_size(soft, self.target.label)],
            [log_ratio(found)],
            relative(self.target.tolerance, found),
        )


class RatioGoal(Goal):
    """Size of a label by that of another."""

    target: RatioTarget

    def __init__(self, target: RatioTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        self.before = self._ratio(labels_of(part.labels))

    def _ratio(self, labels: NDArray[Any]) -> float:
        one, other = (
            volume_ml(labels, label, self.part.grid)
            for label in (self.target.label, self.target.other)
        )
        return one / max(other, 1e-9)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        return outcome_of(
            self.target, self.target.amount, self.before, self._ratio(labels_of(after.labels))
        )

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        found = self.outcome(after)
        gradient = log_size(soft, self.target.label) - log_size(soft, self.target.other)
        return self.rows([gradient], [log_ratio(found)], relative(self.target.tolerance, found))


class ThicknessGoal(Goal):
    """Thickness of a wall.

    Its gradient is that of the difference between two radii: of the disc (ball) of the size of the
    wall with what it encloses, and of that without the wall.
    """

    target: ThicknessTarget

    def __init__(self, target: ThicknessTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        inner = enclosed_label(labels_of(part.labels), target.label, part.axis)
        assert inner is not None  # or the target was refused
        self._inner = inner
        self.before = self._thickness(labels_of(part.labels))

    def _thickness(self, labels: NDArray[Any]) -> float:
        part, wall = self.part, self.target.label
        return thickness_mm(labels, wall, self._inner, part.grid, part.axis)

    def outcome(self, after: Delivered) -> TargetOutcome:
        """What became of the target."""
        got = self._thickness(labels_of(after.labels))
        return outcome_of(
            self.target, self.target.amount, self.before, 0.0 if math.isnan(got) else got
        )

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        found = self.outcome(after)
        by = self.before if found.unit == "x" else 1.0
        wall, inner = (soft.change(label, 1.0) for label in (self.target.label, self._inner))
        size = float(soft.warped(self._inner).sum())
        whole = size + float(soft.warped(self.target.label).sum())
        mm = self.part.mm / soft.factor
        ndim = len(wall)
        gradient = mm * (
            (wall + inner) * _radius_slope(whole, ndim) - inner * _radius_slope(size, ndim)
        )
        exact = self.target.tolerance.width(found.asked * by)
        return self.rows([gradient], [(found.asked - found.got) * by], exact)


def log_size(soft: SoftLabels, label: int) -> Tensor:
    """Gradient of the logarithm of a label's size: (D, *state)."""
    return soft.change(label, 1.0) / soft.warped(label).sum().clamp_min(1e-3)


def log_ratio(found: TargetOutcome) -> float:
    """Logarithm of what is asked by what there is."""
    return math.log(max(found.asked, 1e-6) / max(found.got, 1e-3 * found.asked, 1e-9))


def relative(tolerance: Tolerance, found: TargetOutcome) -> float:
    """A tolerance as a share of what is asked."""
    scale = 1.0 if tolerance.unit == "%" else max(abs(found.asked), 1e-9)
    return tolerance.width(1.0) / scale


def _radius_slope(size: float, ndim: int) -> float:
    """Derivative of the radius of a disc or ball by its size, voxels."""
    size = max(size, 1.0)
    radius = (size / math.pi) ** 0.5 if ndim == 2 else (0.75 * size / math.pi) ** (1 / 3)
    return 1 / (2 * math.pi * radius) if ndim == 2 else 1 / (4 * math.pi * radius**2)
