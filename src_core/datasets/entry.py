"""One case of a data set: its files, and whom it shows."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from src_core.io.formats import ending_of, without_ending

__all__ = ["Absent", "Entry", "real", "stem", "subject_of"]

#: What a case does to a data set when a file that it names is not there.
Absent = Literal["refuse", "keep"]
_TIME = re.compile(r"[_-](frame\d+|phase\d+|time\d+|t\d+|ed|es)$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One case of a data set.

    Attributes:
        image: its file.
        labels: its label map, if there is one.
        subject: whom it shows.
        split: its part of the data (train, val, test), or nothing.
        weight: in a training, one of weight w is drawn w times as often.
        channels: further images on the same grid.
        called: its name, where that is not its file's.
    """

    image: Path
    labels: Path | None = None
    subject: str = ""
    split: str = ""
    weight: float = 1.0
    channels: tuple[Path, ...] = ()
    called: str = ""

    @property
    def name(self) -> str:
        """What it is called, else the image's file name without its type."""
        return self.called or stem(self.image)

    @property
    def images(self) -> tuple[Path, ...]:
        """Files of all of its channels."""
        return (self.image, *self.channels)


def subject_of(name: str) -> str:
    """A case's name up to a suffix of time: ``patient001_frame12`` shows ``patient001``."""
    return _TIME.sub("", name)


def stem(path: Path) -> str:
    """A file's name without its type."""
    return without_ending(path) if ending_of(path) else path.stem


def real(path: Path) -> Path:
    """A file's own path; a loop of links stays one, for whoever reads it to tell."""
    return Path(os.path.realpath(path))
