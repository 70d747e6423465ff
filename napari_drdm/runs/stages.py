"""How long the stages of a run take: measured in earlier runs, and so the time left of this one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

__all__ = ["RunClock", "Stage", "StageTimes"]

Stage = Literal["steps", "guard", "warp", "inverse", "proof"]

#: Seconds of each stage for a million voxels, by axes of the model, until one has been measured;
#: of the steps for one step.
_UNMEASURED: dict[int, dict[Stage, float]] = {
    2: {"steps": 0.3, "guard": 0.5, "warp": 0.3, "inverse": 1.0, "proof": 1.0},
    3: {"steps": 0.2, "guard": 0.5, "warp": 0.3, "inverse": 0.5, "proof": 1.0},
}


class StageTimes:
    """Seconds of stages as they were last measured, scaled by the number of voxels.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._rates: dict[int, dict[Stage, float]] = {n: {**r} for n, r in _UNMEASURED.items()}

    def begin(self, ndim: int, voxels: int, steps: int) -> RunClock:
        """The clock of a run.

        Args:
            ndim: axes of the model, 2 or 3.
            voxels: of the case.
            steps: of the recovery, over all slabs.
        """
        rates = self._rates[ndim]
        expected = {stage: rate * voxels / 1e6 for stage, rate in rates.items()}
        expected["steps"] *= steps

        def measured(stage: Stage, seconds: float) -> None:
            per = steps if stage == "steps" else 1
            rates[stage] = seconds / max(per, 1) / voxels * 1e6

        return RunClock(expected, measured, self._clock)


class RunClock:
    """Time left of one run, over all of its stages.

    Args:
        expected: seconds of each stage, in order.
        measured: takes the seconds of a stage that is over.
        clock: seconds.
    """

    def __init__(
        self,
        expected: dict[Stage, float],
        measured: Callable[[Stage, float], None],
        clock: Callable[[], float],
    ) -> None:
        self._expected, self._measured, self._clock = expected, measured, clock
        self._stage: Stage | None = None
        self._began = clock()

    def left(self, stage: Stage, done: float = 0.0) -> float:
        """Seconds until the run is over.

        Args:
            stage: that is under way; those before it are over.
            done: its part that is done, 0 to 1.
        """
        if self._stage is None:
            self._stage = stage
        elif stage != self._stage:
            self.finish()
            self._stage, self._began = stage, self._clock()
        spent = self._clock() - self._began
        own = spent / done * (1 - done) if done else self._expected[stage] - spent
        stages = list(self._expected)
        later = stages[stages.index(stage) + 1 :]
        return max(own, 0.0) + sum(self._expected[one] for one in later)

    def finish(self) -> None:
        """The stage that was under way is over."""
        if self._stage is not None:
            self._measured(self._stage, self._clock() - self._began)
