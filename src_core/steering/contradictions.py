"""Targets that no anatomy can have together, found before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import dist, hypot

from src_core.errors import InputError
from src_core.steering.kinds import (
    DrawnShapeTarget,
    HoldTarget,
    LargestTarget,
    PlaceTarget,
    PointTarget,
    RatioTarget,
    ShapeTarget,
    SizeTarget,
    Target,
    ThicknessTarget,
)

__all__ = ["check_together"]

#: Points nearer to each other than this, mm, are the same point.
_SAME = 1e-6


def check_together(targets: Sequence[Target]) -> None:
    """Refuse targets that contradict each other.

    Raises:
        InputError: names the two.
    """
    for first, second in combinations(targets, 2):
        if _contradict(first, second) or _contradict(second, first):
            raise InputError(
                f"'{first.words}' and '{second.words}' cannot both be",
                option="targets",
                do="leave one of them out",
            )
    _check_ratios(targets)


def _contradict(first: Target, second: Target) -> bool:
    if _decides(first) & _decides(second):
        return True
    if isinstance(first, PointTarget) and isinstance(second, PointTarget):
        return _same_point(first, second)
    if isinstance(first, RatioTarget) and isinstance(second, RatioTarget):
        return {first.label, first.other} == {second.label, second.other}
    if isinstance(first, LargestTarget):
        return isinstance(second, LargestTarget) or _distance(second) > first.mm
    return False


def _decides(target: Target) -> set[tuple[str, int]]:
    """What of which label a target decides."""
    if isinstance(target, SizeTarget):
        return {("size", target.label)}
    if isinstance(target, PlaceTarget):
        return {("place", target.label)}
    if isinstance(target, HoldTarget):
        return {("size", target.label), ("place", target.label)}
    if isinstance(target, DrawnShapeTarget):
        return {(name, target.label) for name in ("size", "place", "axes", "orientation", "wall")}
    if isinstance(target, ShapeTarget):
        # roundness and elongation are one number
        return {("orientation" if target.measure == "orientation" else "axes", target.label)}
    if isinstance(target, ThicknessTarget):
        return {("wall", target.label)}
    return set()


def _check_ratios(targets: Sequence[Target]) -> None:
    sized = {label for t in targets for what, label in _decides(t) if what == "size"}
    for target in targets:
        if isinstance(target, RatioTarget) and {target.label, target.other} <= sized:
            raise InputError(
                f"'{target.words}' and the sizes of both labels cannot all be",
                option="targets",
                do="leave one of them out",
            )


def _same_point(first: PointTarget, second: PointTarget) -> bool:
    """Whether one point would go to two places, or two points to one."""
    same_start = dist(first.start, second.start) < _SAME
    same_end = dist(first.end, second.end) < _SAME
    return same_start or same_end


def _distance(target: Target) -> float:
    """How far a target moves something at least, mm."""
    if isinstance(target, PointTarget):
        return dist(target.start, target.end)
    return hypot(*target.shift) if isinstance(target, PlaceTarget) else 0.0
