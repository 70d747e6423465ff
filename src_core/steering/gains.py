"""How much of a change that is made arrives: learned for each target from what the last one did."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from src_core.steering.prior import Constraints, stacked

__all__ = ["Gains"]


class Gains:
    """One gain for each target: what arrived, as a share of what was to arrive (secant method).

    Args:
        first: a guess for all.
        bounds: smallest and largest that is believed.
    """

    def __init__(self, first: float, bounds: tuple[float, float]) -> None:
        self._first, self._bounds = first, bounds
        self._gains: list[float] = []
        self._wanted: list[Tensor] = []

    def corrected(self, now: Sequence[Constraints]) -> Constraints:
        """All constraints of a round, their changes enlarged by what will not arrive."""
        gains = self._gains or [self._first] * len(now)
        for i, (then, found) in enumerate(zip(self._wanted, now, strict=False)):
            left = found.wanted
            energy = float(then @ then) if then.shape == left.shape else 0.0
            if energy > 0:
                arrived = gains[i] * float(then @ (then - left)) / energy
                gains[i] = min(max(arrived, self._bounds[0]), self._bounds[1])
        self._gains, self._wanted = gains, [c.wanted for c in now]
        return stacked([c.scaled(1 / g) for c, g in zip(now, gains, strict=True)])
