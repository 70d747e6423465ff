"""What was computed, kept as long as it fits: the least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

_T = TypeVar("_T")


class BoundedCache(Generic[_T]):
    """Values by key, up to a number of bytes; may be used from several threads.

    Args:
        limit: bytes; a single value larger than that is still kept, alone.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept."""
        with self._lock:
            return sum(size for _, size in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> _T | None:
        """A value, which counts as used now."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def find(self, which: Callable[[_T], bool]) -> _T | None:
        """A value that fulfils a condition; it does not count as used."""
        with self._lock:
            return next((value for value, _ in self._kept.values() if which(value)), None)

    def set_limit(self, limit: int) -> None:
        """Keep another number of bytes from now on."""
        with self._lock:
            self.limit = limit
            self._make_room()

    def put(self, key: Hashable, value: _T, nbytes: int) -> None:
        """Keep a value; those used longest ago make room."""
        with self._lock:
            self._kept[key] = value, nbytes
            self._kept.move_to_end(key)
            self._make_room()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _make_room(self) -> None:
        while sum(size for _, size in self._kept.values()) > self.limit and len(self._kept) > 1:
            self._kept.popitem(last=False)
