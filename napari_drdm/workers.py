"""Generation off the main thread: one run at a time, the newest request wins, nothing raises.

A worker ends by returning an ``Outcome`` or a ``Failure``; ``quit`` acts between two steps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.cases import LayerCase, Snapshot, make_case
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from src_core.generation import Options, Result
    from src_core.model import Model

__all__ = ["Failure", "Job", "Outcome", "Progress", "Request", "Runner", "run_request"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for; ``source`` and ``labels`` are the layers it came from."""

    snapshot: Snapshot
    model: Path
    options: Options
    source: Any = None
    labels: Any = None


@dataclass(frozen=True)
class Progress:
    """Step ``index`` of ``total`` is done, on ``device``."""

    index: int
    total: int
    device: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished request."""

    request: Request
    layer_case: LayerCase
    result: Result


@dataclass(frozen=True)
class Failure:
    """Why there is no result, in one line."""

    message: str


def run_request(request: Request) -> Iterator[Progress]:
    """Generator for a worker: progress at every step; returns an Outcome or a Failure."""
    try:
        return (yield from _generate(request))
    except GeneratorExit:
        raise
    except Exception as error:
        return _failure(error)


class Job(QObject):
    """One short piece of work off the main thread: ``done(value)`` or ``failed(str)``."""

    done = Signal(object)
    failed = Signal(str)

    def run(self, work: Callable[[], Any]) -> None:
        """Start it."""
        worker = create_worker(_attempt, work, _start_thread=False)
        worker.returned.connect(self._on_return)
        worker.start()

    def _on_return(self, answer: Any) -> None:
        if isinstance(answer, Failure):
            self.failed.emit(answer.message)
        else:
            self.done.emit(answer)


class Runner(QObject):
    """Runs requests in a worker, one after the other, and tells how they go.

    Signals come on the main thread: ``progressed(Progress)``, ``finished(Outcome)``,
    ``failed(str)``, and ``ran(bool)`` when work begins or nothing is left to do.
    """

    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(str)
    ran = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Any = None
        self._next: Request | None = None
        self._cancelled = False

    @property
    def busy(self) -> bool:
        """Whether a worker runs."""
        return self._worker is not None

    def start(self, request: Request) -> None:
        """Run a request; one that runs already is ended first."""
        if self._worker is not None:
            self._next = request
            self._end()
            return
        self._cancelled = False
        worker = create_worker(run_request, request, _start_thread=False)
        worker.yielded.connect(self._on_progress)
        worker.returned.connect(self._on_return)
        worker.finished.connect(self._on_finished)
        self._worker = worker
        self.ran.emit(True)
        worker.start()

    def cancel(self) -> None:
        """End the run after its present step, and forget what waits."""
        self._next = None
        self._end()

    def _end(self) -> None:
        if self._worker is not None:
            self._cancelled = True
            self._worker.quit()

    def _on_progress(self, progress: Progress) -> None:
        if not self._cancelled:
            self.progressed.emit(progress)

    def _on_return(self, answer: Outcome | Failure | None) -> None:
        if self._cancelled:
            return
        if isinstance(answer, Failure):
            self.failed.emit(answer.message)
        elif answer is not None:
            self.finished.emit(answer)

    def _on_finished(self) -> None:
        self._worker = None
        following, self._next = self._next, None
        if following is not None:
            self.start(following)
        else:
            self.ran.emit(False)


def _generate(request: Request) -> Iterator[Progress]:
    from src_core.generation import Result, iterate

    layer_case = make_case(request.snapshot)
    yield Progress(0, 0, "")
    model = _model(str(request.model), request.model.stat().st_mtime_ns)
    for value in iterate(layer_case.case, model, request.options):
        if isinstance(value, Result):
            return Outcome(request, layer_case, value)
        yield Progress(value.index + 1, value.total, str(model.device))
    return None


@lru_cache(maxsize=2)
def _model(path: str, changed: int) -> Model:
    from src_core.library import load_model

    return load_model(path)


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return _failure(error)


def _failure(error: Exception) -> Failure:
    if isinstance(error, DRDMError):
        return Failure(str(error))
    _log.exception("a run failed", exc_info=error)
    said = " ".join(str(error).split())
    return Failure(f"{type(error).__name__}: {said}" if said else type(error).__name__)
