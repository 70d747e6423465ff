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
from src_core.steering.gains import Gains
from src_core.steering.goals import EXACTNESS, Goal
from src_core.steering.kinds import LargestTarget, Target
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart
from src_core.steering.prior import Constraints, Prior, stacked

__all__ = ["DrawSearch", "SteeringCosts", "TargetSearch", "root_mean_square", "rounds_of"]

#: Recoveries of one search at most, and those after which all draws are made smaller, besides. One
#: more where an earlier one came nearer than the last.
_ROUNDS, _REDUCTIONS = 3, 2
#: Iterations of the last velocity, and of an answer while something is dragged.
_FINISHING, _ANSWERING = 10, 2
#: What is left may be this many tolerances when the rounds end: the last velocity does the rest.
_NEAR = 3.0
#: Share of a change of the draws that recovery leaves: a first guess, and bounds. The last velocity
#: does what it should but for the slope of the labels' shares, which is not that of their voxels.
_GAIN, _GAINS = 0.6, (0.25, 1.5)
_LAST_GAIN, _LAST_GAINS = 1.0, (0.5, 4.0)


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

    def reduction(self, u: Tensor) -> float:
        """A factor on all draws that some target asks for after a map; 1 where none does."""
        after = self.deliver(u)
        return min(goal.reduction(after) for goal in self.goals)

    def finished(self, flow: Flow, u: Tensor) -> tuple[Flow, Tensor, Draws]:
        """A flow and its map, followed by the smallest velocity after which all is as asked.

        Returns:
            Both with the velocity, and the draws that would make it.
        """
        velocity, after, draws = self._answer(u, _FINISHING)
        return (flow if velocity is None else flow.followed_by(velocity)), after, draws

    def prior_answer(self, u: Tensor) -> Tensor:
        """A map, followed by what the prior alone answers to the targets: quick, not recovered.

        Args:
            u: (1, D, *state), state voxels.

        Returns:
            Another such map.
        """
        return self._answer(u, _ANSWERING)[1]

    def _answer(self, u: Tensor, rounds: int) -> tuple[Tensor | None, Tensor, Draws]:
        """The smallest velocity after a map, the map with it, and its draws; None for no velocity.

        Of all iterations the one that leaves least, in tolerances.
        """
        draws = tuple(torch.zeros_like(d[:1]) for d in self.prior.like)
        velocity: Tensor | None = None
        at, least = u, float("inf")
        best, gains = (velocity, at, draws), Gains(_LAST_GAIN, _LAST_GAINS)
        for number in range(rounds + 1):
            wanted = stacked(now := self.constraints(at))
            left = float(wanted.missed.max()) if len(wanted.wanted) else 0.0
            if left < least:
                best, least = (velocity, at, draws), left
            if left <= 1 or number == rounds:
                break
            step = self.prior.step(gains.corrected(now))
            draws = tuple(d + s for d, s in zip(draws, step, strict=True))
            velocity = self._faded(self.prior.velocity(draws))
            at = compose(u, correction_ddf(velocity))
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
        self.rounds = self._reductions = 0
        self._nearest, self._least = draws, float("inf")
        self._gains = Gains(_GAIN, _GAINS)

    def advance(self, u: Tensor) -> bool:
        """Whether another recovery is needed, after one that ended at a map; moves the draws."""
        self.rounds += 1
        if self._reductions < _REDUCTIONS and (factor := self.search.reduction(u)) < 1:
            self._reductions += 1
            self.draws = tuple(d * factor for d in self.draws)
            return True
        now = self.search.constraints(u)
        wanted = self._gains.corrected(now)
        missed = max((float(c.missed.max()) for c in now if len(c.missed)), default=0.0)
        if missed < self._least:
            self._nearest, self._least = self.draws, missed
        if missed <= _NEAR / EXACTNESS:
            return False
        if self.rounds - self._reductions >= _ROUNDS:
            again = self._nearest is not self.draws
            self.draws = self._nearest
            return again
        step = self.search.prior.step(wanted)
        self.draws = tuple(d + s for d, s in zip(self.draws, step, strict=True))
        return True

    def costs(self, finishing: Draws) -> SteeringCosts:
        """How far it went, with the draws of the last velocity."""
        moved = tuple(d - s for d, s in zip(self.draws, self.seed, strict=True))
        rms = root_mean_square
        return SteeringCosts(self.rounds, rms(self.draws), rms(moved), rms(finishing))


def rounds_of(targets: Sequence[Target]) -> int:
    """Recoveries of a search for some targets at most; 1 without any."""
    if not targets:
        return 1
    return _ROUNDS + 1 + _REDUCTIONS * any(isinstance(t, LargestTarget) for t in targets)


def root_mean_square(draws: Draws) -> float:
    """Root of the mean square of all numbers of draws."""
    total = sum(float(d.double().square().sum()) for d in draws)
    return float((total / sum(d.numel() for d in draws)) ** 0.5)
