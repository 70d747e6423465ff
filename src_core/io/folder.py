"""A run's folder: all of its files appear, or none, and what was there stays as it was."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from src_core.errors import InputError, OptionName, Phrase
from src_core.io.atomic import partial_name

__all__ = ["OutputFolder", "make_folder"]


def make_folder(path: Path) -> None:
    """Make a folder and its parents, where there is none.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror or error})", where=str(path)
        ) from error


class OutputFolder:
    """Context manager that gives a temporary folder to write in.

    On a clean end its files move to ``path``: a new folder by one rename, an existing one file by
    file. On an exception everything is removed, created parents too.

    Args:
        path: absent, or a folder; with content only if ``overwrite``.
        overwrite: replace files of the same name, and leave all others alone.

    Raises:
        InputError: on entering, before any work, if nothing may be written there.
    """

    def __init__(self, path: str | Path, overwrite: bool = False) -> None:
        self.path = Path(os.path.abspath(path))
        self.overwrite = overwrite
        self._created: list[Path] = []
        self._partial: Path | None = None

    def __enter__(self) -> Path:
        self._check()
        # Inside an existing folder, since that may be a disk of its own.
        home = self.path if os.path.isdir(self.path) else self.path.parent
        partial = home / partial_name(self.path.name)
        try:
            for folder in [*reversed(_missing(home)), partial]:
                folder.mkdir()
                self._created.append(folder)
        except OSError as error:
            self._remove()
            raise self._unwritable(error.strerror or str(error)) from error
        self._partial = partial
        return partial

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None or self._partial is None:
            self._remove()
            return
        try:
            self._move_in(self._partial)
        except OSError as failure:
            self._remove()
            raise self._unwritable(failure.strerror or str(failure)) from failure
        except BaseException:
            self._remove()
            raise

    def _check(self) -> None:
        if os.path.exists(self.path) and not self.path.is_dir():
            raise InputError(
                "this is a file",
                where=str(self.path),
                expected="a folder, or a name not in use",
                do="choose another folder",
            )
        nearest = next(p for p in (self.path, *self.path.parents) if os.path.exists(p))
        if not nearest.is_dir() or not _writable(nearest):
            raise self._unwritable("read-only" if nearest.is_dir() else "a file is in the way")
        if nearest == self.path and not self.overwrite and self._taken():
            raise InputError(
                "the folder is not empty",
                where=str(self.path),
                expected="an absent or empty folder",
                do=Phrase("choose another, or use ", OptionName("overwrite", True)),
            )

    def _taken(self) -> bool:
        try:
            return any(self.path.iterdir())
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error

    def _move_in(self, partial: Path) -> None:
        if not self.path.exists():
            os.replace(partial, self.path)
            return
        files = [f.relative_to(partial) for f in sorted(partial.rglob("*")) if f.is_file()]
        taken = [f for f in files if (self.path / f).exists()]
        if any((self.path / f).is_dir() for f in taken) or (taken and not self.overwrite):
            raise self._unwritable(f"{taken[0]} exists already")
        for file in files:
            target = self.path / file
            missing = _missing(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._created.extend(reversed(missing))
            os.replace(partial / file, target)
            if file not in taken:
                self._created.append(target)
        shutil.rmtree(partial, ignore_errors=True)

    def _remove(self) -> None:
        for made in reversed(self._created):
            if made == self._partial:
                shutil.rmtree(made, ignore_errors=True)
            with suppress(OSError):
                made.unlink() if made.is_file() else made.rmdir()
        self._created.clear()

    def _unwritable(self, why: str) -> InputError:
        return InputError(
            f"the folder cannot be written ({why})",
            where=str(self.path),
            expected="a writable place",
            do="choose another folder",
        )


def _missing(folder: Path) -> list[Path]:
    """The folder and those above it that do not exist, innermost first."""
    return [p for p in (folder, *folder.parents) if not os.path.exists(p)]


def _writable(folder: Path) -> bool:
    # An administrator may write to a folder that says no; its owner still meant no. Windows marks
    # ordinary folders read-only for other reasons, so the mode counts on POSIX alone.
    if os.name == "posix" and not folder.stat().st_mode & 0o222:
        return False
    return os.access(folder, os.W_OK)
