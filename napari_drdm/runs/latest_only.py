"""A thread for generators: the newest request is next, what it yields comes on the main thread.

A picture that is under way is finished and drawn before the newest request is taken, so that
requests that come faster than pictures (a slider that is dragged) still show some of them.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from src_core.errors import Cancelled
from src_core.errors.interruption import interruptible

__all__ = ["LatestOnly"]

_log = logging.getLogger(__name__)

#: Seconds to wait for a picture to be drawn: no window holds the thread for longer.
_PATIENCE = 1.0


class LatestOnly(QObject):
    """Runs one generator at a time; a newer one follows it after its next picture.

    There is a thread only while there is work. ``came(value)`` and ``idle()`` come on the main
    thread. Where the window is slower than the work, values that a newer one replaces are
    skipped.

    Args:
        kind: of a value; one is skipped where another of its kind waits already. None: never.
        picture: whether a value is one that is drawn, and so worth finishing.
    """

    came = Signal(object)
    idle = Signal()
    _woken = Signal()

    def __init__(
        self,
        kind: Callable[[Any], Hashable | None],
        picture: Callable[[Any], bool] = lambda value: True,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind, self._picture = kind, picture
        self._lock = threading.Condition()
        self._next: Callable[[], Iterator[Any]] | None = None
        self._values: deque[Any] = deque()
        self._running = self._ended = self._stopping = self._drawing = self._shown = False
        self._idle_reported = True
        self._woken.connect(self._deliver)

    @property
    def busy(self) -> bool:
        """Whether something runs, or has yet to be delivered."""
        return not self._idle_reported

    def submit(self, make: Callable[[], Iterator[Any]]) -> None:
        """Run a generator once what runs now has yielded its next picture, or has ended."""
        with self._lock:
            self._next, self._idle_reported = make, False
            if self._running or self._ended:
                return
            self._running = True
        # Not a daemon: a process that ends waits for it, and torch is not unloaded under it.
        threading.Thread(target=self._work, name="drdm").start()

    def stop(self) -> None:
        """End what runs at its next value or pause, and forget what waits."""
        with self._lock:
            self._forget()

    def close(self) -> None:
        """Stop for good: nothing more is delivered."""
        with self._lock:
            self._ended = True
            self._forget()

    def _forget(self) -> None:
        self._values.clear()
        self._next, self._drawing = None, False
        self._stopping = self._running
        self._lock.notify_all()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(self._drawn, _PATIENCE)
                make, self._next = self._next, None
                self._stopping = False
                if make is None:
                    self._running = False
                    break
            try:
                self._take(make())
            except Exception:
                _log.exception("background work failed")
        self._wake()

    def _drawn(self) -> bool:
        """Whether nothing is next, or no picture waits to be drawn before it."""
        waits = self._drawing or any(map(self._picture, self._values))
        return self._next is None or not waits

    def _take(self, values: Iterator[Any]) -> None:
        """Pass values on until there are no more, or a picture was made and something newer waits.

        The generator is closed in any case.
        """
        self._shown = False
        with suppress(Cancelled), interruptible(self._check):
            for value in values:
                with self._lock:
                    if self._stopping:
                        break
                    self._values.append(value)
                    self._shown = self._shown or self._picture(value)
                    last = self._next is not None and self._picture(value)
                self._wake()
                if last:
                    break
        getattr(values, "close", _nothing)()

    def _check(self) -> None:
        """Between blocks of the work: end it where it was stopped.

        Or where something newer waits and its picture was made: what follows is not waited for.
        """
        if self._stopping or (self._shown and self._next is not None):
            raise Cancelled("the run was stopped")

    def _wake(self) -> None:
        try:
            if not self._ended:
                self._woken.emit()
        except RuntimeError:  # the window is gone
            self._ended = True

    def _deliver(self) -> None:
        while True:
            with self._lock:
                if not self._values:
                    break
                value = self._values.popleft()
                kind = self._kind(value)
                newer = kind is not None and any(self._kind(v) == kind for v in self._values)
                self._drawing = self._drawing or (self._picture(value) and not newer)
            if not newer:
                self.came.emit(value)
        if self._drawing:
            QTimer.singleShot(0, self._on_drawn)  # after the window was repainted
        with self._lock:
            done = not (self._running or self._values or self._idle_reported)
            self._idle_reported = self._idle_reported or done
        if done:
            self.idle.emit()

    def _on_drawn(self) -> None:
        with self._lock:
            self._drawing = False
            self._lock.notify_all()


def _nothing() -> None:
    return None
