"""One run at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from src_core.errors import InputError

__all__ = ["locked"]

_FILE = ".lock"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other runs out of a folder, until the block or the process ends.

    Raises:
        InputError: another run is using the folder.
    """
    path = out / _FILE
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            "another run is using this folder",
            where=str(out),
            do="wait until it ends, or choose another folder",
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is locked, where the system allows that
        lock.release()
        path.unlink(missing_ok=True)
