"""A file appears whole or not at all: written beside its place, then moved into it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from src_core.errors import InputError

__all__ = ["open_atomically", "partial_name", "replacing"]


def partial_name(name: str) -> str:
    """A name for what is not finished yet."""
    return f".{name}.{secrets.token_hex(4)}.partial"


@contextmanager
def open_atomically(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write, which takes the place of ``path`` when the block ends well.

    Raises:
        InputError: it cannot be written there.
    """
    with replacing(path) as partial, partial.open("xb") as stream:
        yield stream


@contextmanager
def replacing(path: str | Path, suffix: str = "") -> Iterator[Path]:
    """A path to write to, which takes the place of ``path`` when the block ends well.

    Args:
        path: of the file.
        suffix: that the path to write to ends in, for libraries that choose a format by it.

    Raises:
        InputError: it cannot be written there.
    """
    path = Path(path)
    partial = path.with_name(partial_name(path.name) + suffix)
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror or error})",
            where=str(path),
            expected="a folder that exists, is writable and has space",
            do="choose another place",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
