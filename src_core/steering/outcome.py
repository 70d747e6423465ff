"""What became of a target: asked and got, in one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src_core.steering.kinds import Target
from src_core.steering.targets import parse_target, target_text

__all__ = ["TargetOutcome"]


@dataclass(frozen=True)
class TargetOutcome:
    """A target beside what the delivered case has.

    Attributes:
        target: what was asked for.
        asked: the value, in ``unit``; of a range, the nearest to ``got``. Of places and points the
            distance to go, of a still region 0, of a drawn shape 1 (Dice), of a largest
            displacement the bound.
        got: what the delivered label map or field has; of places and points, how far they went in
            the direction asked for.
        before: what the source has.
        error: how far ``got`` is from what was asked for, in ``unit``; of places and points, the
            distance that is left.
        unit: ``x`` for factors, ml, mm2, mm, deg, or none.
        within: whether the error is within the tolerance.
    """

    target: Target
    asked: float
    got: float
    before: float
    error: float
    unit: str
    within: bool

    def facts(self) -> dict[str, Any]:
        """The outcome for ``metrics.json``."""
        return {
            "target": target_text(self.target),
            "asked": self.asked,
            "got": self.got,
            "before": self.before,
            "error": self.error,
            "unit": self.unit,
            "within": self.within,
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> TargetOutcome:
        """The reverse of ``facts``."""
        return cls(**{**facts, "target": parse_target(facts["target"])})
