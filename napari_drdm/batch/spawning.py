"""Processes started from a window, whatever script has opened it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["script_left_alone"]


@contextmanager
def script_left_alone() -> Iterator[None]:
    """New processes do not run the main script again meanwhile: it may open another window."""
    main = sys.modules["__main__"]
    hidden = {} if getattr(main, "__spec__", None) else {"__file__": vars(main).get("__file__")}
    for name in hidden:
        vars(main).pop(name, None)
    try:
        yield
    finally:
        vars(main).update({name: value for name, value in hidden.items() if value is not None})
