"""One table: for each kind of work our time, each peer's, their ratio, and the goal."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.timing import Figure, Work, in_turns

__all__ = ["COLUMNS", "Goal", "Row", "Sizes", "lines_of", "markdown", "measured_lines"]

OURS = "napari-drdm"
COLUMNS = ("work", "package", "median", "quartiles", "memory", "ours / theirs", "goal", "met")
_PACKAGES = ("napari-drdm", "torch", "numpy", "numba", "SimpleITK", "monai", "torchio", "antspyx")
_PACKAGES += ("batchgeneratorsv2", "hf-deepali")

Line = tuple[str, ...]


@dataclass(frozen=True)
class Sizes:
    """How large the arrays are, and how long a row may take, seconds."""

    plane: int = 256
    volume: int = 128
    stack: tuple[int, int, int] = (208, 240, 10)
    cases: int = 6
    batch: int = 8
    budget: float = 6.0

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


def measured_lines(rows: Iterable[Row], budget: float) -> Iterator[Line]:
    """Lines of the table, each row's as soon as it is measured."""
    for row in rows:
        yield from lines_of(row, budget)


def lines_of(row: Row, budget: float) -> list[Line]:
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
    figures = in_turns(works, budget)
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


def markdown(lines: Sequence[Line], command: str) -> str:
    """The page of a table: the command that wrote it, the machine, the versions."""
    rule = ["---"] * len(COLUMNS)
    table = "\n".join(f"| {' | '.join(line)} |" for line in (COLUMNS, rule, *lines))
    found = ", ".join(f"{name} {v}" for name in _PACKAGES if (v := _version(name)))
    return (
        f"# Speed\n\nWritten by `{command}`; not edited by hand.\n\n"
        f"One thread each on {_processor()} ({os.cpu_count()} cores), Python "
        f"{platform.python_version()}: {found}. All packages run in turns in one process; the "
        "first run of each is left out. Memory is the peak of one run above what the process "
        "held before it.\n\n"
        f"{table}\n"
    )


def _cells(name: str, figure: Figure, per: int) -> Line:
    low, high = (_time(s / per) for s in figure.quartiles)
    memory = "" if figure.memory is None else f"{max(figure.memory / 2**20, 1):.0f} MiB"
    return name, _time(figure.median / per), f"{low} to {high}", memory


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.995 else f"{1000 * seconds:.3g} ms"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
