"""One case of a data set: its files and its subject."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from src_core.errors import InputError
from src_core.io.formats import ending_of, without_ending

__all__ = ["Absent", "Entry", "check_name", "real_path", "stem", "subject_of"]

#: Whether a case that names a missing file stops the reading, or stays in the list.
Absent = Literal["refuse", "keep"]
#: Of a name and what is put behind it.
_LONGEST = 200
_PART = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f]+")
_TIME = re.compile(r"[_-](frame\d+|phase\d+|time\d+|t\d+|ed|es)$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One case of a data set.

    Attributes:
        image: its file.
        labels: its label map, if there is one.
        subject: the person (or animal) imaged.
        split: its part of the data (train, val, test), or nothing.
        weight: in a training, one of weight w is drawn w times as often.
        channels: further images on the same grid.
        called: its name, where that differs from its file's.
        points: its landmarks, if there are some.
        surface: its surface, if there is one.
        coordinates: axes of both, ``LPS`` or ``RAS``, where their files do not state them.
    """

    image: Path
    labels: Path | None = None
    subject: str = ""
    split: str = ""
    weight: float = 1.0
    channels: tuple[Path, ...] = ()
    called: str = ""
    points: Path | None = None
    surface: Path | None = None
    coordinates: str = ""

    @property
    def name(self) -> str:
        """What it is called, else the image's file name without its type."""
        return self.called or stem(self.image)

    @property
    def images(self) -> tuple[Path, ...]:
        """Files of all of its channels."""
        return (self.image, *self.channels)


def check_name(name: str, where: str) -> None:
    """Refuse a case's name that could not be that of a file in a folder.

    Raises:
        InputError: it leads elsewhere, has control characters, or is too long.
    """
    if _PART.fullmatch(name) and name not in (".", "..") and len(name.encode()) <= _LONGEST:
        return
    raise InputError(
        f"a case cannot be called {name[:60]!r}",
        where=where,
        expected=f"up to {_LONGEST} characters without slashes and control characters",
        do="rename it",
    )


def subject_of(name: str) -> str:
    """A case's name up to a suffix of time: ``patient001_frame12`` is of ``patient001``."""
    return _TIME.sub("", name)


def stem(path: Path) -> str:
    """A file's name without its type."""
    return without_ending(path) if ending_of(path) else path.stem


def real_path(path: Path) -> Path:
    """A file's own path; a loop of links stays one, and reading it fails."""
    return Path(os.path.realpath(path))
