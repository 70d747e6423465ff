"""Whether this user may read in a file's folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from src_core.errors import InputError

__all__ = ["check_reachable"]


def check_reachable(path: str | Path) -> None:
    """Refuse a path in a folder without rights; its reader reports a file that is missing.

    Raises:
        InputError: a folder above it may not be searched.
    """
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            Path(path).stat()
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})",
            where=str(path),
            expected="a readable file",
            do="check the permissions of its folder",
        ) from error
