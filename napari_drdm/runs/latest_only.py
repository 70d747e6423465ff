"""A thread for generators: the newest one wins, and what it yields comes on the main thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from qtpy.QtCore import QObject, Signal

__all__ = ["LatestOnly"]

_log = logging.getLogger(__name__)


class LatestOnly(QObject):
    """Runs one generator at a time; a newer one ends it at its next value.

    There is a thread only while there is work. ``came(value)`` and ``idle()`` come on the main
    thread. Where the window is slower than the work, values that a newer one replaces are
    skipped.

    Args:
        kind: of a value; one is skipped where another of its kind waits already. None: never.
    """

    came = Signal(object)
    idle = Signal()
    _woken = Signal()

    def __init__(
        self, kind: Callable[[Any], Hashable | None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._lock = threading.Lock()
        self._next: Callable[[], Iterator[Any]] | None = None
        self._values: deque[Any] = deque()
        self._running = self._ended = False
        self._idle_reported = True
        self._woken.connect(self._deliver)

    @property
    def busy(self) -> bool:
        """Whether something runs, or has yet to be delivered."""
        return not self._idle_reported

    def submit(self, make: Callable[[], Iterator[Any]]) -> None:
        """Run a generator once what runs now has ended, which it does at its next value."""
        with self._lock:
            self._next, self._idle_reported = make, False
            self._values.clear()
            if self._running or self._ended:
                return
            self._running = True
        # Not a daemon: a process that ends waits for it, and torch is not unloaded under it.
        threading.Thread(target=self._work, name="drdm").start()

    def stop(self) -> None:
        """End what runs at its next value, and forget what waits."""
        with self._lock:
            self._values.clear()
            if self._running:
                self._next = _nothing

    def close(self) -> None:
        """Stop for good: nothing more is delivered."""
        with self._lock:
            self._ended = True
            self._values.clear()
            if self._running:
                self._next = _nothing

    def _work(self) -> None:
        while True:
            with self._lock:
                make, self._next = self._next, None
                if make is None:
                    self._running = False
                    break
            try:
                self._take(make())
            except Exception:
                _log.exception("background work failed")
        self._wake()

    def _take(self, values: Iterator[Any]) -> None:
        """Pass values on until there are no more, or something newer waits."""
        for value in values:
            with self._lock:
                if self._next is not None:
                    break
                self._values.append(value)
            self._wake()
        getattr(values, "close", _nothing)()

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
            if not newer:
                self.came.emit(value)
        with self._lock:
            done = not (self._running or self._values or self._idle_reported)
            self._idle_reported = self._idle_reported or done
        if done:
            self.idle.emit()


def _nothing() -> Iterator[Any]:
    return iter(())
