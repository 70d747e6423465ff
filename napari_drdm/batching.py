"""An augmentation for a worker: values to show, and a gate to pause and end it. No Qt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from src_core.errors import DRDMError, one_line

if TYPE_CHECKING:
    from src_core.augment import Doing, Made, Plan, Request

__all__ = ["Ended", "Gate", "Outlook", "Update", "in_time", "outlook", "run_batch"]

_NAP = 0.05


class Gate:
    """Pauses and ends a run from another thread."""

    def __init__(self) -> None:
        self._shut, self._ended = Event(), Event()

    @property
    def paused(self) -> bool:
        """Whether the run waits."""
        return self._shut.is_set() and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the run is to end."""
        return self._ended.is_set()

    def pause(self, paused: bool = True) -> None:
        """Wait after the present step, or go on."""
        if paused:
            self._shut.set()
        else:
            self._shut.clear()

    def end(self) -> None:
        """End the run after its present step."""
        self._ended.set()


@dataclass(frozen=True)
class Update:
    """How a run stands.

    Attributes:
        done: new cases that are there or have failed, of ``total``.
        name: of the case that ended last, or is under way at ``step`` of ``steps``.
        seconds_left: None while not known.
        message: a failure or a warning, worth a line in the log.
    """

    done: int
    total: int
    name: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Ended:
    """How a run ended; ``sheet`` is its contact sheet, ``error`` why it could not go on."""

    made: int
    kept: int
    failed: int
    cancelled: bool
    sheet: Path | None = None
    error: str = ""


@dataclass(frozen=True)
class Outlook:
    """What a request would make; ``text`` in one line, ``notes`` one line each."""

    text: str
    notes: tuple[str, ...] = ()


def outlook(request: Request, model: Path) -> Outlook:
    """What a request would make, from lists and headers alone.

    Raises:
        InputError: the data set or an option is wrong.
    """
    from src_core.augment import make_plan
    from src_core.augment.disk import free_bytes, in_words
    from src_core.augment.index import read_index
    from src_core.checkpoint import read_spec

    plan = make_plan(request, read_spec(model))
    whole, free = plan.bytes_each * len(plan.jobs), free_bytes(request.out)
    notes = list(plan.notes)
    if request.resume:
        notes.append(_there(len(read_index(request.out)), len(plan.jobs)))
    if whole > free:
        notes.append("The disk may fill up: the run stops then, and can go on")
    room = f"at most {in_words(whole)}, {in_words(free)} free"
    return Outlook(f"{len(plan.jobs)} new cases of {plan.cases}, {room}", tuple(notes))


def _there(made: int, jobs: int) -> str:
    """What of a run is in its folder already."""
    if made >= jobs:
        return "All of them are in this folder"
    return f"{made} of them {'is' if made == 1 else 'are'} in this folder: Start goes on"


def run_batch(request: Request, model: Path, gate: Gate) -> Generator[Update, None, Ended]:
    """Do a request step by step; what is whole stays, whatever happens."""
    counts: Counter[str] = Counter()
    error = ""
    try:
        yield from _run(request, model, gate, counts)
    except Exception as raised:
        error = one_line(raised)
    sheet = _sheet(request) if counts["made"] + counts["kept"] else None
    made, kept, failed = (counts[state] for state in ("made", "kept", "failed"))
    return Ended(made, kept, failed, gate.ended, sheet, error)


def in_time(seconds: float) -> str:
    """``40 s``, ``3 min``, ``2 h 10 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _run(
    request: Request, model: Path, gate: Gate, counts: Counter[str]
) -> Generator[Update, None, None]:
    from src_core.augment import make_plan, steps
    from src_core.library import load_model

    yield Update(0, 0)
    loaded = load_model(model)
    plan = make_plan(request, loaded)
    clock = _Clock(plan)
    for note in plan.notes:
        yield Update(0, len(plan.jobs), message=note)
    told: set[tuple[str, str]] = set()
    with closing(steps(plan, loaded)) as going:
        for value in going:
            update = clock.update(value, counts)
            key = value.job.case, update.message
            yield replace(update, message="") if key in told else update
            told.add(key)
            yield from clock.wait(gate, update)
            if gate.ended:
                return


class _Clock:
    """Counts what is done and tells the time left; time spent waiting does not count."""

    def __init__(self, plan: Plan) -> None:
        self._total, self._started, self._waited = len(plan.jobs), time.monotonic(), 0.0

    def update(self, value: Doing | Made, counts: Counter[str]) -> Update:
        from src_core.augment import Made

        if isinstance(value, Made):
            counts[value.state] += 1
        done = counts.total()
        left = self._left(counts["made"], self._total - done)
        if isinstance(value, Made):
            message = f"{value.job.case}: {value.message}" if value.message else ""
            return Update(done, self._total, value.job.name, 0, 0, left, message)
        return Update(done, self._total, value.job.name, value.step, value.total, left)

    def wait(self, gate: Gate, update: Update) -> Generator[Update, None, None]:
        """Yield now and then while the gate is shut, so that a worker can be ended there."""
        since = time.monotonic()
        while gate.paused:
            time.sleep(_NAP)
            yield replace(update, message="")
        self._waited += time.monotonic() - since

    def _left(self, made: int, missing: int) -> float | None:
        spent = time.monotonic() - self._started - self._waited
        return spent / made * missing if made else None


def _sheet(request: Request) -> Path | None:
    from src_core.augment.sheet import save_sheet

    try:
        return save_sheet(request.out, request.spacing)
    except (DRDMError, OSError):
        return None
