"""Sessions of the scans that came last: one that comes again is not prepared anew.

A training loop shows each image many times; its view, and where its organs are, stay the same.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.generation import Session
from src_core.models.model import Model
from src_core.transforms.scan import Scan

__all__ = ["ScanSessions"]

_LIMIT = 128 << 20


class ScanSessions:
    """Sessions by the values of their scans, the last ones used.

    Args:
        limit: bytes that are kept at most, by their own count.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self.limit = limit
        self._clear()
        if hasattr(os, "register_at_fork"):  # another thread may hold the lock while it forks
            os.register_at_fork(after_in_child=self._clear)

    def get(self, scan: Scan, model: Model, slices: str, case: Callable[[Scan], Case]) -> Session:
        """The session of a scan; made of ``case(scan)`` where there is none yet."""
        key = (_digest(scan), model.sha256, str(model.device), slices)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        session = Session(case(_copied(scan)), model, slices)
        with self._lock:
            self._kept[key] = session, _bytes(session)
            while sum(size for _, size in self._kept.values()) > self.limit:
                self._kept.popitem(last=False)
        return session

    def _clear(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, ...], tuple[Session, int]] = OrderedDict()


def _digest(scan: Scan) -> str:
    """Of everything that a session takes from a scan."""
    found = hashlib.sha256(repr((scan.name, scan.grid.shape)).encode())
    found.update(np.ascontiguousarray(scan.grid.affine).tobytes())
    for values in (scan.image, scan.labels):
        if values is not None:
            found.update(repr((values.dtype.str, values.shape)).encode())
            found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()


def _copied(scan: Scan) -> Scan:
    """A scan that the caller cannot change."""
    labels = None if scan.labels is None else scan.labels.copy()
    return replace(scan, image=scan.image.copy(), labels=labels)


def _bytes(session: Session) -> int:
    """Memory of a session with its images and organs."""
    view, spec = session.view, session.model.spec
    arrays: list[NDArray[Any]] = [view.values, *(one.data for one in session.case.images)]
    arrays += [one.data for one in session.case.labels]
    slabs, images = view.values.shape[:2]
    seen = 4 * slabs * images * spec.size**spec.ndim
    organs = 4 * slabs * len(spec.organs) * spec.state**spec.ndim
    return sum(values.nbytes for values in arrays) + seen + organs
