"""One table: for each kind of work our time, each peer's, their ratio, and the goal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.timing import Clock, Figure, Work, in_turns

__all__ = ["COLUMNS", "OURS", "Goal", "Line", "Row", "Sizes", "lines_of"]

OURS = "napari-drdm"
COLUMNS = ("work", "package", "median", "quartiles", "memory", "ours / theirs", "goal", "met")
Line = tuple[str, ...]


@dataclass(frozen=True)
class Sizes:
    """How large the arrays are, how long a row may take, seconds, and the clock."""

    plane: int = 256
    volume: int = 128
    stack: tuple[int, int, int] = (208, 240, 10)
    cases: int = 6
    batch: int = 8
    budget: float = 6.0
    clock: Clock = time.perf_counter

    @classmethod
    def quick(cls) -> Sizes:
        """Small arrays: whether everything works, no figures worth anything."""
        return cls(plane=48, volume=16, stack=(40, 44, 2), cases=1, batch=2, budget=0.0)


@dataclass(frozen=True)
class Goal:
    """At most so many times a peer's time, or, without a peer, so many seconds."""

    most: float
    against: str = ""

    def __str__(self) -> str:
        return f"<= {self.most:g} x {self.against}" if self.against else f"<= {_time(self.most)}"

    def met(self, figures: Mapping[str, Figure], per: int) -> bool | None:
        """Whether it is; None where its peer is missing."""
        if not self.against:
            return figures[OURS].median / per <= self.most
        if self.against not in figures:
            return None
        return figures[OURS].median <= self.most * figures[self.against].median


@dataclass(frozen=True)
class Row:
    """A kind of work.

    Attributes:
        work: what is done, and how large it is.
        ours: prepares our work, which is then run.
        peers: prepares theirs; one that is not installed raises ImportError.
        goal: what our time should be, if anything.
        per: how many things a run makes; times are of one.
    """

    work: str
    ours: Callable[[], Work]
    peers: Mapping[str, Callable[[], Work]] = field(default_factory=dict)
    goal: Goal | None = None
    per: int = 1


def lines_of(row: Row, budget: float, clock: Clock = time.perf_counter) -> list[Line]:
    """A row's lines: ours, then one for each peer; what cannot be measured says why."""
    works: dict[str, Work] = {}
    failed: dict[str, str] = {}
    for name, prepare in {OURS: row.ours, **row.peers}.items():
        try:
            works[name] = prepare()
        except ImportError as error:
            failed[name] = f"not installed: {error.name or error}"
        except FileNotFoundError as error:
            failed[name] = f"not there: {Path(error.filename or str(error)).name}"
    if OURS not in works:
        return [(row.work, OURS, failed[OURS], "", "", "", str(row.goal or ""), "")]
    figures = in_turns(works, budget, clock)
    goal = row.goal if budget else None  # without a budget arrays are small
    met = goal.met(figures, row.per) if goal else None
    verdict = {True: "yes", False: "no", None: "" if goal is None else "peer missing"}[met]
    lines = [(row.work, *_cells(OURS, figures[OURS], row.per), "", str(goal or ""), verdict)]
    for name in row.peers:
        if name in failed:
            lines.append(("", name, failed[name], "", "", "", "", ""))
            continue
        ratio = f"{figures[OURS].median / figures[name].median:.2f}"
        lines.append(("", *_cells(name, figures[name], row.per), ratio, "", ""))
    return lines


def _cells(name: str, figure: Figure, per: int) -> Line:
    low, high = (_time(s / per) for s in figure.quartiles)
    memory = "" if figure.memory is None else f"{max(figure.memory / 2**20, 1):.0f} MiB"
    return name, _time(figure.median / per), f"{low} to {high}", memory


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.995 else f"{1000 * seconds:.3g} ms"
