"""Times of several works, run in turns in one process, and the memory that each takes."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Clock", "Figure", "Work", "in_turns", "seconds"]

Work = Callable[[], object]
#: Seconds: ``time.perf_counter``, or ``time.process_time`` where the machine is not idle.
Clock = Callable[[], float]

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_LEAST, _MOST = 3, 25


@dataclass(frozen=True)
class Figure:
    """Seconds of each run, without the first, and bytes of memory above those held before."""

    seconds: tuple[float, ...]
    memory: int | None

    @property
    def median(self) -> float:
        """The middle of the runs, seconds."""
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which half of the runs lie, seconds."""
        low, high = np.quantile(self.seconds, (0.25, 0.75))
        return float(low), float(high)


def in_turns(
    works: Mapping[str, Work], budget: float, clock: Clock = time.perf_counter
) -> dict[str, Figure]:
    """Run each work once for memory, then all in turns, as often as the budget allows.

    Args:
        works: by name.
        budget: seconds for all of them together; three turns are run in any case, but for works
            that take a third of the budget alone: those are run once more.
        clock: which is read before and after each.
    """
    memory, first = {}, {}
    for name, work in works.items():
        work()  # compiles, loads and fills caches
        memory[name], first[name] = _measured(work, clock)
    short = {name: s for name, s in first.items() if 3 * s < budget}
    turns = min(_MOST, max(_LEAST, int(budget / max(sum(short.values()), 1e-6))))
    taken: dict[str, list[float]] = {n: [] if n in short else [first[n]] for n in works}
    for turn in range(turns):
        for name in works if turn == 0 else short:
            taken[name].append(_timed(works[name], clock))
    return {name: Figure(tuple(taken[name]), memory[name]) for name in works}


def seconds(work: Work, repeats: int) -> float:
    """Median wall time of a work, its first run left out."""
    work()
    return float(np.median([_timed(work, time.perf_counter) for _ in range(repeats)]))


def _timed(work: Work, clock: Clock) -> float:
    started = clock()
    work()
    return clock() - started


def _measured(work: Work, clock: Clock) -> tuple[int | None, float]:
    """Peak memory of a run above what was held before, where the system counts it; and seconds."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # so that reused memory counts
    try:
        _RESET.write_text("5")
    except OSError:
        return None, _timed(work, clock)
    before = _kilobytes("VmRSS")
    taken = _timed(work, clock)
    return 1024 * max(0, _kilobytes("VmHWM") - before), taken


def _kilobytes(name: str) -> int:
    line = next(one for one in _STATUS.read_text().splitlines() if one.startswith(f"{name}:"))
    return int(line.split()[1])
