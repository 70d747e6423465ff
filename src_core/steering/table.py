"""Which goal a kind of target has, and whether a case can have it at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from src_core.cases.grid import RAS_TO_LPS
from src_core.errors import InputError
from src_core.steering.amounts import Amount
from src_core.steering.drawn_goal import DrawnShapeGoal
from src_core.steering.field_goals import LargestGoal, PointGoal, StillGoal
from src_core.steering.goals import Goal, RatioGoal, SizeGoal, ThicknessGoal
from src_core.steering.kinds import (
    DrawnShapeTarget,
    HoldTarget,
    LargestTarget,
    PlaceTarget,
    PointTarget,
    RatioTarget,
    ShapeTarget,
    SizeTarget,
    StillTarget,
    Target,
    ThicknessTarget,
)
from src_core.steering.label_measures import enclosed_label
from src_core.steering.parts import SteeredPart
from src_core.steering.shape_goals import HoldGoal, PlaceGoal, ShapeGoal
from src_core.steering.targets import LEAST_FACTOR, MOST_FACTOR

__all__ = ["check_targets", "goals_of"]

_GOALS: dict[type[Target], Any] = {
    SizeTarget: SizeGoal,
    RatioTarget: RatioGoal,
    ThicknessTarget: ThicknessGoal,
    ShapeTarget: ShapeGoal,
    PlaceTarget: PlaceGoal,
    HoldTarget: HoldGoal,
    PointTarget: PointGoal,
    StillTarget: StillGoal,
    LargestTarget: LargestGoal,
    DrawnShapeTarget: DrawnShapeGoal,
}
#: Voxels of a label that can be measured.
_FEWEST = 4
_MOST_OF_SHAPE = {"roundness": 1.0, "elongation": 1.5}


def goals_of(
    targets: Sequence[Target], part: SteeredPart, whole: SteeredPart | None = None
) -> list[Goal]:
    """The goals of targets on a part of a case.

    Args:
        targets: checked on the whole case.
        part: one slice, or everything.
        whole: the case, where ``part`` is one slice of it: targets that do not concern the slice
            are left out, and sizes of the whole become factors.

    Raises:
        InputError: a wall encloses nothing.
    """
    if whole is None:
        return [_GOALS[type(t)](t, part) for t in targets]
    chosen = [_of_slice(t, whole) for t in targets if _concerns(t, part)]
    return [_GOALS[type(t)](t, part) for t in chosen]


def check_targets(targets: Sequence[Target], whole: SteeredPart) -> None:
    """Refuse what a case cannot have, before anything is computed.

    Raises:
        InputError: a label that is not there, a point outside, or a move out of the slices.
    """
    for target in targets:
        _check_labels(target, whole)
        if isinstance(target, PointTarget):
            for point in (target.start, target.end):
                _check_inside(target, point, whole)
            _check_in_plane(target, np.subtract(target.end, target.start), whole)
        if isinstance(target, PlaceTarget):
            _check_in_plane(target, np.asarray(target.shift), whole)
        if isinstance(target, StillTarget):
            _check_region(target, whole)
        if isinstance(target, SizeTarget) and target.area and whole.axis is None:
            raise _refused(target, "areas are of slices", "a volume in ml, with a 3D model")
        if isinstance(target, SizeTarget | RatioTarget | ThicknessTarget):
            _check_amount(target, whole)
        if isinstance(target, ShapeTarget) and target.measure != "orientation":
            low, high = target.amount.bounds(goals_of([target], whole)[0].before)
            if low < 0 or high > _MOST_OF_SHAPE[target.measure]:
                what = f"that would be {low:.3g}"
                raise _refused(target, what, f"0 to {_MOST_OF_SHAPE[target.measure]:g}")
    for dragged, box in product(targets, targets):
        if isinstance(dragged, PointTarget) and isinstance(box, StillTarget):
            _check_still(dragged, box, whole)


def _check_amount(target: SizeTarget | RatioTarget | ThicknessTarget, whole: SteeredPart) -> None:
    before = goals_of([target], whole)[0].before
    low, high = target.amount.bounds(before)
    if high < LEAST_FACTOR * before or low > MOST_FACTOR * before:
        unit = f" {target.amount.unit}".rstrip()
        least, most = (f"{factor * before:.3g}" for factor in (LEAST_FACTOR, MOST_FACTOR))
        what = f"there are {before:.3g}{unit} now, which cannot become that"
        raise _refused(target, what, f"{least} to {most}{unit}")


def _check_still(point: PointTarget, box: StillTarget, whole: SteeredPart) -> None:
    """A point that moves out of a box that does not, or into it."""
    for place in (point.start, point.end):
        voxel = whole.voxel_of(place)
        inside = all(box.region[a][0] <= voxel[a] + 0.5 < box.region[a][1] for a in whole.axes)
        if inside and point.start != point.end:
            raise _refused(point, "the point lies in a region that stays still", "one outside it")


def _check_labels(target: Target, whole: SteeredPart) -> None:
    if not target.labels:
        return
    if whole.labels is None:
        raise _refused(target, "the case has no labels", "a label map, or points and regions")
    values, counts = np.unique(whole.labels, return_counts=True)
    known = {int(v): int(n) for v, n in zip(values, counts, strict=True) if v}
    for label in target.labels:
        if label not in known:
            listed = ", ".join(map(str, known)) or "none"
            raise _refused(target, f"there is no label {label}", f"one of: {listed}")
        if not _FEWEST <= known[label] < whole.labels.size:
            what = f"label {label} has {known[label]} of the image's {whole.labels.size} voxels"
            raise _refused(target, what, f"{_FEWEST} voxels or more, and some around it")
    is_wall = isinstance(target, ThicknessTarget)
    if is_wall and enclosed_label(whole.labels, target.labels[0], whole.axis) is None:
        raise _refused(target, "the label encloses no other", "the label of a wall")


def _check_inside(target: Target, point: Sequence[float], whole: SteeredPart) -> None:
    x, y, z = point
    voxel = whole.voxel_of((x, y, z))
    if not all(-0.5 <= v <= n - 0.5 for v, n in zip(voxel, whole.grid.shape, strict=True)):
        corners = list(product(*((-0.5, n - 0.5) for n in whole.grid.shape)))
        lps = np.array([RAS_TO_LPS * (whole.grid.affine @ [*c, 1.0])[:3] for c in corners])
        ends = zip("xyz", lps.min(0), lps.max(0), strict=True)
        within = ", ".join(f"{axis} {low:.1f} to {high:.1f}" for axis, low, high in ends)
        raise _refused(target, "the point lies outside the image", f"LPS mm, {within}")


def _check_in_plane(target: Target, move: Any, whole: SteeredPart) -> None:
    if whole.axis is None:
        return
    through = float(whole.grid.to_voxels(np.asarray(move, dtype=np.float64))[whole.axis])
    if abs(through) > 0.5:
        raise _refused(
            target, "a 2D model moves nothing from slice to slice", "a move in the plane"
        )


def _check_region(target: StillTarget, whole: SteeredPart) -> None:
    for axis in whole.axes:
        low, high = target.region[axis]
        if high > whole.grid.shape[axis]:
            raise _refused(
                target,
                f"the region {low}:{high} leaves the image along {'XYZ'[axis]}",
                f"voxels within 0:{whole.grid.shape[axis]}",
            )


def _refused(target: Target, what: str, expected: str) -> InputError:
    return InputError(f"'{target.words}': {what}", option="targets", expected=expected)


def _concerns(target: Target, part: SteeredPart) -> bool:
    """Whether a target has to do with one slice."""
    if isinstance(target, PointTarget):
        assert part.axis is not None
        return abs(float(part.voxel_of(target.end)[part.axis])) <= 0.5
    if isinstance(target, StillTarget):
        return False  # the velocity is zero there, and the whole case is measured
    if part.labels is None:
        return True
    return all(bool((part.labels == label).any()) for label in target.labels)


def _of_slice(target: Target, whole: SteeredPart) -> Target:
    """A target of a whole case as one of its slices has it: the same factor everywhere."""
    if not isinstance(target, SizeTarget | RatioTarget) or target.amount.kind == "times":
        return target
    before = goals_of([target], whole)[0].before
    low, high = (bound / before for bound in target.amount.bounds(before))
    return replace(target, amount=Amount("times", low, high))
