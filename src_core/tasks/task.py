"""A downstream task: its trials are measured one by one, kept in a journal, and reported.

``run_task`` measures the trials that the journal lacks, so that a run can stop and resume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from src_core.experiments.journal import Journal
from src_core.experiments.records import Record, StageProgress, Trial, TrialKey

__all__ = ["PreparedTask", "run_task"]


class PreparedTask(Protocol):
    """A task whose request has been checked.

    Attributes:
        journal: where trials are kept.
        report: what ``write`` last reported, as ``results.json`` has it.
    """

    journal: Journal
    report: dict[str, Any]

    def trials(self) -> Sequence[TrialKey]:
        """Keys of all trials that the request asks for, in the order of the results."""

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read or compute what the missing trials share, such as labels and deformations."""

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Measure a trial; yields progress, and the trial last."""

    def write(self, records: Sequence[Record]) -> None:
        """Write results, table and figure of the records so far, and set ``report``."""


def run_task(prepared: PreparedTask) -> Iterator[StageProgress]:
    """Run a task; yields progress, and writes the results anew after each trial."""
    kept = prepared.journal.by_key()
    missing = [key for key in prepared.trials() if key not in kept]
    yield from prepared.load(missing)
    for key in missing:
        for step in prepared.measure(key):
            if isinstance(step, Trial):
                prepared.journal.add(step)
            else:
                yield step
        prepared.write(_records(prepared))
    if not missing:
        prepared.write(_records(prepared))


def _records(prepared: PreparedTask) -> list[Record]:
    """Of the finished trials of the request, in its order."""
    kept = prepared.journal.by_key()
    found = [kept[key] for key in prepared.trials() if key in kept]
    return [record for trial in found for record in trial.records]
