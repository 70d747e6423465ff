"""The search for draws whose recovered map reaches targets, and what is left at its end.

Draws move by the smallest change under the prior that would do what is asked if nothing were
recovered; how much of it a recovery leaves is learned from round to round. What is left after the
last round is one small velocity after the map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from src_core.diffusion.flow import Flow, correction_ddf
from src_core.diffusion.random_field import Draws
from src_core.fields import compose
from src_core.steering.goals import EXACTNESS, Goal
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart
from src_core.steering.prior import Constraints, Prior, stacked

__all__ = ["ROUNDS", "DrawSearch", "SteeringCosts", "TargetSearch", "root_mean_square"]

#: Recoveries of one search at most.
ROUNDS = 3
#: Iterations of the last velocity.
_FINISHING = 10
#: What is left may be this many tolerances when the rounds end: the last velocity does the rest.
_NEAR = 3.0
#: Share of a change of the draws that recovery leaves: a first guess, and bounds.
_GAIN, _LEAST_GAIN, _MOST_GAIN = 0.6, 0.25, 1.5


@dataclass(frozen=True)
class SteeringCosts:
    """How far a search went.

    Attributes:
        rounds: recoveries.
        draws_rms: root mean square of the draws, 1 for those of a seed on average.
        distance: the same of their difference from the seed's.
        finishing_rms: the same of the draws that would make the last velocity.
    """

    rounds: int
    draws_rms: float
    distance: float
    finishing_rms: float


@dataclass(frozen=True, eq=False)
class TargetSearch:
    """Targets on one part of a case, and what can be changed for them.

    Attributes:
        part: what they are measured on.
        goals: the targets.
        deliver: from a displacement (1, D, *state), state voxels, to what is delivered.
        prior: of velocities.
        size: voxels per side of the model's grid.
        fade: (1, 1, *state), factors on every velocity; None for 1.
    """

    part: SteeredPart
    goals: Sequence[Goal]
    deliver: Callable[[Tensor], Delivered]
    prior: Prior
    size: int
    fade: Tensor | None = None
    _shares: dict[int, Tensor] = field(default_factory=dict)

    def constraints(self, u: Tensor) -> list[Constraints]:
        """What each target wants of a map (1, D, *state)."""
        after, soft = self.deliver(u), SoftLabels(self.part, u, self._shares, self.size)
        return [goal.constraints(after, soft) for goal in self.goals]

    def finished(self, flow: Flow, u: Tensor) -> tuple[Flow, Tensor, Draws]:
        """A flow and its map, followed by the smallest velocity after which all is as asked.

        Returns:
            Both with the velocity, and the draws that would make it.
        """
        draws = tuple(torch.zeros_like(d[:1]) for d in self.prior.like)
        best, least = (flow, u, draws), float("inf")
        at, followed = u, flow
        for _ in range(_FINISHING):
            wanted = stacked(self.constraints(at))
            left = float(wanted.missed.max()) if len(wanted.wanted) else 0.0
            if left < least:
                best, least = (followed, at, draws), left
            if left <= 1:
                break
            draws = tuple(d + s for d, s in zip(draws, self.prior.step(wanted), strict=True))
            velocity = self._faded(self.prior.velocity(draws))
            followed, at = flow.followed_by(velocity), compose(u, correction_ddf(velocity))
        return best

    def _faded(self, velocity: Tensor) -> Tensor:
        return velocity if self.fade is None else velocity * self.fade


class DrawSearch:
    """Draws, moved from recovery to recovery until little is left.

    Args:
        search: the targets.
        draws: of the seed.
    """

    def __init__(self, search: TargetSearch, draws: Draws) -> None:
        self.search, self.seed, self.draws = search, draws, draws
        self.rounds = 0
        self._gains = [_GAIN] * len(search.goals)
        self._wanted: list[Tensor] = []

    def advance(self, u: Tensor) -> bool:
        """Whether another recovery is needed, after one that ended at a map; moves the draws."""
        self.rounds += 1
        now = self.search.constraints(u)
        self._learn([c.wanted for c in now])
        near = all(bool((c.missed <= _NEAR / EXACTNESS).all()) for c in now)
        if near or self.rounds >= ROUNDS:
            return False
        scaled = [c.scaled(1 / gain) for c, gain in zip(now, self._gains, strict=True)]
        step = self.search.prior.step(stacked(scaled))
        self.draws = tuple(d + s for d, s in zip(self.draws, step, strict=True))
        return True

    def costs(self, finishing: Draws) -> SteeringCosts:
        """How far it went, with the draws of the last velocity."""
        moved = tuple(d - s for d, s in zip(self.draws, self.seed, strict=True))
        rms = root_mean_square
        return SteeringCosts(self.rounds, rms(self.draws), rms(moved), rms(finishing))

    def _learn(self, wanted: list[Tensor]) -> None:
        """Estimate gains anew from what the last move of the draws delivered."""
        for i, (then, now) in enumerate(zip(self._wanted, wanted, strict=False)):
            energy = float(then @ then) if then.shape == now.shape else 0.0
            if energy > 0:
                delivered = float(then @ (then - now)) / energy
                gain = self._gains[i] * delivered
                self._gains[i] = min(max(gain, _LEAST_GAIN), _MOST_GAIN)
        self._wanted = wanted


def root_mean_square(draws: Draws) -> float:
    """Root of the mean square of all numbers of draws."""
    total = sum(float(d.double().square().sum()) for d in draws)
    return float((total / sum(d.numel() for d in draws)) ** 0.5)
