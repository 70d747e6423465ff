"""Work off the main thread: a run and a preview at a time, the newest wins, nothing raises."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.compute import Compute, failure
from napari_drdm.runs.devices import FellBack
from napari_drdm.runs.latest_only import LatestOnly
from napari_drdm.runs.moments import Moment
from napari_drdm.runs.prior import get_ready
from napari_drdm.runs.requests import Failure, RunOutcome, RunProgress, RunRequest, Viewed

__all__ = ["BackgroundTask", "EngineReports", "Runner"]

_ENGINE = logging.getLogger("src_core")


class EngineReports(QObject):
    """What the engine logs while it works, such as a first compilation: ``came(str)``."""

    came = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handler = _Handler(self.came.emit)
        _ENGINE.addHandler(self._handler)

    def close(self) -> None:
        """Listen no more."""
        _ENGINE.removeHandler(self._handler)


class _Handler(logging.Handler):
    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(RuntimeError):  # the window is gone
            self._say(record.getMessage())


class BackgroundTask(QObject):
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
    """Runs requests and previews of them, each on a thread of its own, and reports how they go.

    Signals come on the main thread: ``progressed(RunProgress)``, ``moment_ready(Moment)``,
    ``finished(RunOutcome)``, ``failed(str)``, ``message(str)`` for what is worth a line, and
    ``ran(bool)`` when a run begins or none is left.

    Attributes:
        viewed: what the viewer shows; the owner keeps it up to date.
        compute: what was computed so far.
        progress: the latest of the run under way.
    """

    progressed = Signal(object)
    moment_ready = Signal(object)
    finished = Signal(object)
    failed = Signal(str)
    message = Signal(str)
    ran = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.compute, self.viewed = Compute(), Viewed()
        self._runs = LatestOnly(_kind, _is_recovered, self)
        self._previews = LatestOnly(_kind, _is_picture, self)
        self._request: RunRequest | None = None
        self.progress: RunProgress | None = None
        for thread in (self._runs, self._previews):
            thread.came.connect(self._on_value)
        self._runs.idle.connect(self._on_idle)
        self._reports = EngineReports(self)
        self._reports.came.connect(self.message)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._runs.busy

    @property
    def previewing(self) -> bool:
        """Whether a preview is under way."""
        return self._previews.busy

    def start(self, request: RunRequest, after_picture: bool = False) -> None:
        """Run a request; one that runs already is ended at its next step.

        With ``after_picture`` it goes on until its recovered picture is on view.
        """
        was, self._request, self.progress = self.busy, request, None
        if not after_picture:
            self._runs.stop()
        self._runs.submit(lambda: self.compute.run(request, self.viewed))
        if not was:
            self.ran.emit(True)

    def preview(self, request: RunRequest, base: RunOutcome | None = None) -> None:
        """Show the random field of a request at once, or its result where it is known.

        With a ``base``, the result of the same request with other targets: what it takes from
        there to the request's own targets, by the prior alone.
        """
        self._previews.submit(lambda: self.compute.preview(request, self.viewed, base))

    def get_ready(self) -> None:
        """Previews by the prior are about to be asked for."""
        self._previews.submit(get_ready)

    def at_position(self, request: RunRequest, position: float) -> None:
        """Show any moment of a run that is kept."""
        self._previews.submit(lambda: self.compute.at_position(request, position, self.viewed))

    def aside(self, request: RunRequest) -> Iterator[Any]:
        """In another worker: run a request of which no step is shown."""
        return self.compute.run(request, Viewed(pause=math.inf))

    def supersede(self) -> None:
        """End the run: something newer is about to come."""
        self._runs.stop()

    def cancel(self) -> None:
        """End the run after its current step, which is then shown whole."""
        request, progress = self._request, self.progress
        was = self.busy
        self.stop()
        if was and request is not None and progress is not None and progress.trace is not None:
            trace = progress.trace
            self._previews.submit(lambda: self.compute.stopped(request, trace, self.viewed))

    def stop(self) -> None:
        """End everything, and show nothing of it."""
        self._request = None
        self._runs.stop()
        self._previews.stop()

    def close(self) -> None:
        """End everything, for good."""
        self._reports.close()
        self._runs.close()
        self._previews.close()
        self.compute.clear()

    def _on_value(self, value: Any) -> None:
        if isinstance(value, RunProgress):
            self.progress = value
            self.progressed.emit(value)
        elif isinstance(value, Moment):
            self.moment_ready.emit(value)
        elif isinstance(value, RunOutcome):
            self.finished.emit(value)
        elif isinstance(value, FellBack):
            self.message.emit(value.message)
        elif isinstance(value, Failure):
            self.failed.emit(value.message)

    def _on_idle(self) -> None:
        self._request = None
        self.ran.emit(False)


def _kind(value: object) -> Hashable | None:
    """Moments and progress make way for newer ones; results and failures never do."""
    passing = isinstance(value, RunProgress) or (
        isinstance(value, Moment) and value.outcome is None
    )
    return type(value).__name__ if passing else None


def _is_picture(value: object) -> bool:
    return isinstance(value, Moment)


def _is_recovered(value: object) -> bool:
    return isinstance(value, Moment) and value.position >= value.total


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return failure(error)
