"""An augmentation for a worker: values to show, and a control to pause and end it. No Qt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_drdm.batch.outlook import check_folder
from napari_drdm.batch.spawning import script_left_alone
from napari_drdm.messages import error_line, in_window
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from src_core.augment import Doing, Made, Plan, Request

__all__ = ["BatchEnd", "BatchUpdate", "RunControl", "in_time", "run_batch"]

_NAP = 0.05


class RunControl:
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
        """Wait after the current step, or go on."""
        if paused:
            self._shut.set()
        else:
            self._shut.clear()

    def end(self) -> None:
        """End the run after its current step."""
        self._ended.set()


@dataclass(frozen=True)
class BatchUpdate:
    """How a run stands.

    Attributes:
        done: new cases that are there or have failed, of ``total``.
        name: of the case that ended last, or is under way at ``step`` of ``steps``.
        seconds_left: None while not known.
        message: a failure or a warning, worth a line in the log.
        waiting: the run is paused, and has ended its step.
    """

    done: int
    total: int
    name: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    message: str = ""
    waiting: bool = False


@dataclass(frozen=True)
class BatchEnd:
    """How a run ended.

    Attributes:
        made: new cases; ``kept`` were there from before, ``rejected`` and ``failed`` are missing.
        cancelled: it was asked to end; ``left`` new cases were not started.
        refused: how many seeds were rejected, by reason.
        sheet: its contact sheet.
        summary: its page.
        warning: what is doubtful about the new cases as a whole.
        error: why it could not continue.
    """

    made: int = 0
    kept: int = 0
    rejected: int = 0
    failed: int = 0
    cancelled: bool = False
    left: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    sheet: Path | None = None
    summary: Path | None = None
    warning: str = ""
    error: str = ""

    def text(self) -> str:
        """A summary in one to three lines."""
        counts = {"made": self.made, "already there": self.kept, "rejected": self.rejected}
        counts["failed"] = self.failed
        line = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        whys = ", ".join(f"{why} {count}" for why, count in sorted(self.refused.items()))
        seeds = f"\nSeeds rejected: {whys}" if whys else ""
        how = "Cancelled: Start continues. " if self.left else "Finished: "
        warning = f"\nWarning: {self.warning}" if self.warning else ""
        return f"{how if self.cancelled else ''}{line or 'nothing made'}{seeds}{warning}"


def run_batch(
    request: Request, model: Path, control: RunControl, device: str = "auto"
) -> Generator[BatchUpdate, None, BatchEnd]:
    """Run a request step by step; finished cases stay, whatever happens."""
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    error, left = "", 0
    try:
        left = yield from _run(request, model, control, device, counts, refused)
    except Exception as raised:
        error = error_line(raised)
    states = {state: counts[state] for state in ("made", "kept", "rejected", "failed")}
    ended: dict[str, Any] = dict(states)
    if counts.total():
        ended |= _reports(request, states)
    return BatchEnd(
        **ended,
        cancelled=control.ended,
        left=left,
        refused=dict(refused),
        error=error,
    )


def in_time(seconds: float) -> str:
    """``40 s``, ``3 min``, ``2 h 10 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _run(
    request: Request,
    model: Path,
    control: RunControl,
    device: str,
    counts: Counter[str],
    refused: Counter[str],
) -> Generator[BatchUpdate, None, int]:
    """Run it; returns how many new cases were not started when it was asked to end."""
    from src_core.augment import Made, make_plan, steps
    from src_core.models.library import load_model

    yield BatchUpdate(0, 0)
    loaded = load_model(model, device)
    plan = make_plan(request, loaded)
    check_folder(plan)
    clock = _Clock(plan)
    for note in plan.notes:
        yield BatchUpdate(0, len(plan.jobs), message=in_window(note))
    reported: set[tuple[str, str]] = set()
    running: Any = steps(plan, loaded)
    with script_left_alone(), closing(running):
        for value in running:
            if isinstance(value, Made):
                counts[value.state] += 1
                refused.update(value.refused)
            update = clock.update(value, counts)
            key = value.job.case, update.message
            yield replace(update, message="") if key in reported else update
            reported.add(key)
            if left := len(plan.jobs) - counts.total():
                yield from clock.wait(control, update)
                if control.ended:
                    return left
    return 0


class _Clock:
    """Counts what is done and estimates the time left; waiting does not count."""

    def __init__(self, plan: Plan) -> None:
        self._total, self._started, self._waited = len(plan.jobs), time.monotonic(), 0.0

    def update(self, value: Doing | Made, counts: Counter[str]) -> BatchUpdate:
        from src_core.augment import Made

        done = counts.total()
        left = self._left(done - counts["kept"], self._total - done)
        if isinstance(value, Made):
            text = value.message if value.state != "rejected" else ""
            message = f"{value.job.case}: {in_window(text)}" if text else ""
            return BatchUpdate(done, self._total, value.job.name, 0, 0, left, message)
        return BatchUpdate(done, self._total, value.job.name, value.step, value.total, left)

    def wait(self, control: RunControl, update: BatchUpdate) -> Generator[BatchUpdate, None, None]:
        """Yield now and then while the run is paused, so that a worker can be ended there."""
        since = time.monotonic()
        while control.paused:
            time.sleep(_NAP)
            yield replace(update, message="", waiting=True)
        self._waited += time.monotonic() - since

    def _left(self, ended: int, missing: int) -> float | None:
        spent = time.monotonic() - self._started - self._waited
        return spent / ended * missing if ended else None


def _reports(request: Request, states: Mapping[str, int]) -> dict[str, Any]:
    """Contact sheet, page and warning of a run, as far as they can be written."""
    from src_core.augment.contact_sheet import save_sheet
    from src_core.augment.label_spread import label_warning
    from src_core.augment.summary import save_summary

    reports: dict[str, Any] = {}
    with suppress(DRDMError, OSError):
        if states["made"] + states["kept"]:
            reports["sheet"] = save_sheet(request.out, request.spacing)
    with suppress(DRDMError, OSError):
        reports["summary"] = save_summary(request.out, states["failed"])
        reports["warning"] = label_warning(request.out)
    return reports
