"""Work off the main thread: a run and a glance at a time, the newest wins, nothing raises."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.compute import Desk, failure
from napari_drdm.runs.devices import FellBack
from napari_drdm.runs.latest_only import Lane
from napari_drdm.runs.moments import Look
from napari_drdm.runs.requests import Failure, Outcome, Progress, Request, Viewed

__all__ = ["Failure", "Job", "Outcome", "Progress", "Request", "Runner"]


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
    """Runs requests and glances at them, each on a lane of its own, and tells how they go.

    Signals come on the main thread: ``progressed(Progress)``, ``looked(Look)``,
    ``finished(Outcome)``, ``failed(str)``, ``told(str)`` for what is worth a line, and
    ``ran(bool)`` when a run begins or none is left.

    Attributes:
        viewed: what the viewer shows; the owner keeps it up to date.
        desk: what was computed so far.
        progress: the latest of the run under way.
    """

    progressed = Signal(object)
    looked = Signal(object)
    finished = Signal(object)
    failed = Signal(str)
    told = Signal(str)
    ran = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk, self.viewed = Desk(), Viewed()
        self._runs, self._glances = Lane(_kind, self), Lane(_kind, self)
        self._request: Request | None = None
        self.progress: Progress | None = None
        for lane in (self._runs, self._glances):
            lane.came.connect(self._on_value)
        self._runs.idle.connect(self._on_idle)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._runs.busy

    @property
    def glancing(self) -> bool:
        """Whether a glance is under way."""
        return self._glances.busy

    def start(self, request: Request) -> None:
        """Run a request; one that runs already is ended first."""
        was, self._request, self.progress = self.busy, request, None
        self._runs.submit(lambda: self.desk.run(request, self.viewed))
        if not was:
            self.ran.emit(True)

    def glance(self, request: Request) -> None:
        """Show the random field of a request at once, or its result where it is known."""
        self._glances.submit(lambda: self.desk.glance(request, self.viewed))

    def moment(self, request: Request, position: float) -> None:
        """Show any moment of a run that is remembered."""
        self._glances.submit(lambda: self.desk.moment(request, position, self.viewed))

    def supersede(self) -> None:
        """End the run: something newer is about to come."""
        self._runs.stop()

    def cancel(self) -> None:
        """End the run after its present step, which is then shown whole."""
        request, progress = self._request, self.progress
        was = self.busy
        self.stop()
        if was and request is not None and progress is not None and progress.trace is not None:
            trace = progress.trace
            self._glances.submit(lambda: self.desk.stopped(request, trace, self.viewed))

    def stop(self) -> None:
        """End everything, and show nothing of it."""
        self._request = None
        self._runs.stop()
        self._glances.stop()

    def close(self) -> None:
        """End everything, for good."""
        self._runs.close()
        self._glances.close()
        self.desk.clear()

    def _on_value(self, value: Any) -> None:
        if isinstance(value, Progress):
            self.progress = value
            self.progressed.emit(value)
        elif isinstance(value, Look):
            self.looked.emit(value)
        elif isinstance(value, Outcome):
            self.finished.emit(value)
        elif isinstance(value, FellBack):
            self.told.emit(value.message)
        elif isinstance(value, Failure):
            self.failed.emit(value.message)

    def _on_idle(self) -> None:
        self._request = None
        self.ran.emit(False)


def _kind(value: Any) -> Hashable | None:
    """Looks and progress make way for newer ones; results and failures never do."""
    passing = isinstance(value, Progress) or (isinstance(value, Look) and value.outcome is None)
    return type(value) if passing else None


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return failure(error)
