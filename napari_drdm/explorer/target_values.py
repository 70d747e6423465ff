"""Targets as the form shows them, and what became of them in the form's words. No Qt, no viewer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.widgets.target_row import ReachedValue, TargetLabel
from src_core.steering.amounts import Amount
from src_core.steering.kinds import (
    HoldTarget,
    PointTarget,
    SizeTarget,
    Target,
    ThicknessTarget,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_core.cases.grid import Grid
    from src_core.steering.outcome import TargetOutcome

__all__ = ["FormTargets", "ReachedTargets", "reached", "sorted_targets", "walls_of"]

#: Millimetres from one place of a held point to another that still count as holding it.
_SAME_MM = 1e-6


@dataclass
class FormTargets:
    """Targets by where the form shows them.

    Attributes:
        sizes: factors by label.
        walls: more mm by label.
        held: labels.
        points: that are pulled or held.
        others: as further text.
    """

    sizes: dict[int, float] = field(default_factory=dict)
    walls: dict[int, float] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    points: list[PointTarget] = field(default_factory=list)
    others: list[Target] = field(default_factory=list)


def sorted_targets(targets: Iterable[Target], rows: Mapping[int, bool]) -> FormTargets:
    """Targets by where the form shows them.

    Args:
        targets: in any order.
        rows: labels with a row, and whether it has a slider for a wall.
    """
    found = FormTargets()
    for target in targets:
        usual = target.weight == 1 and target.tolerance == _usual(target)
        if isinstance(target, PointTarget) and usual:
            found.points.append(target)
        elif isinstance(target, HoldTarget) and usual and target.label in rows:
            found.held.add(target.label)
        elif isinstance(target, SizeTarget) and usual and _row_shows(target, "times", rows):
            found.sizes[target.label] = target.amount.low
        elif isinstance(target, ThicknessTarget) and usual and _wall_shows(target, rows):
            found.walls[target.label] = target.amount.low
        else:
            found.others.append(target)
    return found


def walls_of(labels: NDArray[Any], grid: Grid, axis: int | None) -> dict[int, float]:
    """How thick each label is that encloses another, mm.

    Args:
        labels: (X, Y, Z) or (X, Y, Z, T).
        grid: of its voxels.
        axis: the slice axis, None for a volume.
    """
    from src_core.steering.label_measures import enclosed_label, thickness_mm

    found = {}
    for value in (int(v) for v in np.unique(labels) if v):
        inner = enclosed_label(labels, value, axis)
        mm = float("nan") if inner is None else thickness_mm(labels, value, inner, grid, axis)
        if mm > 0:
            found[value] = mm
    return found


@dataclass(frozen=True)
class ReachedTargets:
    """What a result has of its targets, in the form's words."""

    sizes: Mapping[int, ReachedValue]
    walls: Mapping[int, ReachedValue]
    points: ReachedValue | None
    whole: ReachedValue | None


def reached(outcomes: Sequence[TargetOutcome], labels: Mapping[int, TargetLabel]) -> ReachedTargets:
    """What became of targets.

    Args:
        outcomes: one for each.
        labels: that have a row.
    """
    sizes, walls, points = {}, {}, []
    for outcome in outcomes:
        target = outcome.target
        label = labels.get(getattr(target, "label", 0))
        if isinstance(target, PointTarget):
            points.append(outcome)
        elif isinstance(target, SizeTarget) and label is not None:
            by = label.size if outcome.unit == "x" else 1.0
            sizes[target.label] = _of_amount(outcome, by, label.unit)
        elif isinstance(target, ThicknessTarget) and label is not None:
            by = (label.wall_mm or 0.0) if outcome.unit == "x" else 1.0
            walls[target.label] = _of_amount(outcome, by, label.length)
        elif isinstance(target, HoldTarget) and label is not None:
            sizes[target.label] = ReachedValue(_held(outcome), outcome.within)
    return ReachedTargets(sizes, walls, _of_points(points), _whole(outcomes))


def _of_amount(outcome: TargetOutcome, by: float, unit: str) -> ReachedValue:
    asked, got = outcome.asked * by, outcome.got * by
    text = f"asked {asked:.3g}, got {got:.3g} {unit}"
    if outcome.within:
        return ReachedValue(f"{text}: reached", True)
    percent = 100 * (got / asked - 1) if asked else 0.0
    side = "more" if percent > 0 else "less"
    return ReachedValue(f"{text}: {abs(percent):.0f} % {side}, not reached", False)


def _held(outcome: TargetOutcome) -> str:
    return "held" if outcome.within else f"not held: off by {outcome.error:.2g} {outcome.unit}"


def _of_points(outcomes: Sequence[TargetOutcome]) -> ReachedValue | None:
    if not outcomes:
        return None
    farthest, within = max(o.error for o in outcomes), all(o.within for o in outcomes)
    text = "within" if within else "not reached, up to"
    return ReachedValue(f"{text} {farthest:.1f} mm", within)


def _whole(outcomes: Sequence[TargetOutcome]) -> ReachedValue | None:
    """All targets in one line, with those that have no row of their own and were missed."""
    if not outcomes:
        return None
    missed = [outcome for outcome in outcomes if not outcome.within]
    if not missed:
        count = len(outcomes)
        return ReachedValue("The target is reached" if count == 1 else
                            f"All {count} targets are reached", True)  # fmt: skip
    missing = [f"{o.target.words}: got {o.got:.3g} {o.unit}".rstrip() for o in missed]
    head = f"{len(outcomes) - len(missed)} of {len(outcomes)} targets are reached; not "
    return ReachedValue(head + ", ".join(missing), False)


def _usual(target: Target) -> object:
    return type(target).__dataclass_fields__["tolerance"].default


def _row_shows(target: SizeTarget, kind: str, rows: Mapping[int, bool]) -> bool:
    amount: Amount = target.amount
    return amount.kind == kind and target.label in rows and 0.5 <= amount.low <= 2


def _wall_shows(target: ThicknessTarget, rows: Mapping[int, bool]) -> bool:
    amount = target.amount
    return amount.kind == "plus" and rows.get(target.label, False) and abs(amount.low) <= 5
