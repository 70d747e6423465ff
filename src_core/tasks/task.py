"""A downstream task: its trials are measured one by one, kept in a journal, and reported.

``run_task`` measures the trials that the journal lacks, so that a run can stop and resume.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from src_core.experiments.journal import Journal
from src_core.experiments.records import Record, StageProgress, Trial, TrialKey
from src_core.tasks.options import WHOLE

__all__ = ["PreparedTask", "own_trials", "run_task"]

#: Seconds between two reports while trials go on.
_BETWEEN_REPORTS = 60.0


class PreparedTask(Protocol):
    """A task whose request has been checked.

    Attributes:
        request: with ``process`` and ``prepare`` of ``TaskOptions``, if the task has them.
        journal: where trials are kept.
        report: what ``write`` last reported, as ``results.json`` has it.
    """

    request: Any
    journal: Journal
    report: dict[str, Any]

    def trials(self) -> Sequence[TrialKey]:
        """Keys of all trials that the request asks for, in the order of the results."""

    def unit(self, key: TrialKey) -> Hashable:
        """Trials of one unit are measured by one process, in their order."""

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read or compute what the missing trials share, such as labels and deformations."""

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Measure a trial; yields progress, and the trial last."""

    def write(self, records: Sequence[Record]) -> None:
        """Write results, table and figure of the records so far, and set ``report``."""


def run_task(prepared: PreparedTask, together: int = 1) -> Iterator[StageProgress]:
    """Run a task; yields progress, and writes the results anew after trials.

    At most once a minute while trials go on, and when they end or the run stops. One of several
    processes measures its own trials alone, and writes no results.

    Args:
        prepared: the task.
        together: trials that take turns, one yield each.
    """
    kept, process = prepared.journal.by_key(), getattr(prepared.request, "process", WHOLE)
    missing = [key for key in own_trials(prepared, process) if key not in kept]
    yield from prepared.load(missing)
    if getattr(prepared.request, "prepare", False):
        return
    pending, due = not missing, 0.0
    try:
        for step in _in_turns((prepared.measure(key) for key in missing), together):
            if not isinstance(step, Trial):
                yield step
                continue
            prepared.journal.add(step)
            pending = True
            if process == WHOLE and time.monotonic() >= due:
                prepared.write(_records(prepared))
                pending, due = False, time.monotonic() + _BETWEEN_REPORTS
    finally:
        if pending and process == WHOLE:
            prepared.write(_records(prepared))


def _in_turns(
    everything: Iterable[Iterator[StageProgress | Trial]], together: int
) -> Iterator[StageProgress | Trial]:
    waiting = iter(everything)
    running = deque(islice(waiting, together))
    while running:
        trial = running.popleft()
        try:
            yield next(trial)
        except StopIteration:
            running.extend(islice(waiting, 1))
        else:
            running.append(trial)


def own_trials(prepared: PreparedTask, process: tuple[int, int]) -> list[TrialKey]:
    """The trials of process I of N: those of every N-th unit."""
    keys, (number, count) = prepared.trials(), process
    units = list(dict.fromkeys(map(prepared.unit, keys)))[number - 1 :: count]
    return [key for key in keys if prepared.unit(key) in units]


def _records(prepared: PreparedTask) -> list[Record]:
    """Of the finished trials of the request, in its order."""
    kept = prepared.journal.by_key()
    found = [kept[key] for key in prepared.trials() if key in kept]
    return [record for trial in found for record in trial.records]
