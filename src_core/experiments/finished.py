"""Experiments whose trials are all in the folder of the run: only the report is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from src_core.experiments.records import StageProgress, Trial, TrialKey

__all__ = ["FinishedExperiment"]


class FinishedExperiment:
    """Reads and measures nothing."""

    def unit(self, key: TrialKey) -> TrialKey:
        """Every trial is a unit of its own."""
        return key

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Nothing is read."""
        yield from ()

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Nothing is missing."""
        yield from ()
