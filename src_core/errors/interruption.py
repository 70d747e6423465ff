"""Long work that its caller can end early: between its blocks, by a check of the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["interruptible", "pause"]

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def interruptible(check: Callable[[], None]) -> Iterator[None]:
    """Call ``check`` between the blocks of all work of this thread.

    What it raises, such as ``Cancelled``, ends the work.
    """
    before = _check.set(check)
    try:
        yield
    finally:
        _check.reset(before)


def pause() -> None:
    """Check whether the work has to end; called between its blocks."""
    check = _check.get()
    if check is not None:
        check()
