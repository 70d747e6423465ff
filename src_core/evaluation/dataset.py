"""Labelled data sets: a folder with ``images/`` and ``labels/`` (equal names), or a CSV.

A CSV has the columns ``image`` and, if there are, ``labels``, ``subject`` and ``split`` (train,
val, test); its paths start where it lies. Without a column, a subject is a file's name up to a
suffix of time: ``patient001_frame01`` and ``patient001_frame12`` are two cases of one subject.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from src_core.errors import InputError

__all__ = ["Entry", "balanced", "read_dataset", "without_subjects"]

_SUFFIXES = (".nii.gz", ".nii", ".png", ".tif", ".tiff")
_TIME = re.compile(r"[_-](frame\d+|phase\d+|time\d+|t\d+|ed|es)$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One case of a data set: files, the subject it belongs to, and its part of the data."""

    image: Path
    labels: Path | None
    subject: str
    split: str = ""

    @property
    def name(self) -> str:
        """The image's file name without its type."""
        return _stem(self.image)


def read_dataset(path: Path | str) -> list[Entry]:
    """The cases of a data set, in the order of the CSV or of the files' names.

    Raises:
        InputError: no such data set, nothing in it, or files that are not there.
    """
    path = Path(path)
    if path.is_dir():
        entries = list(_of_folder(path))
    elif path.suffix == ".csv" and path.is_file():
        entries = list(_of_csv(path))
    else:
        raise InputError(
            "no such data set",
            where=str(path),
            expected="a folder with images/ and labels/, or a .csv with a column image",
        )
    if not entries:
        raise InputError("the data set is empty", where=str(path), expected="images")
    return entries


def balanced(entries: Sequence[Entry], count: int | None) -> list[Entry]:
    """So many entries, spread over the data set: any beginning of the list is spread as well.

    Subjects, sorted, are taken at evenly spread places, one case each; their cases take turns.
    Then the next case of each.

    Raises:
        InputError: there are fewer.
    """
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.subject].append(entry)
    subjects = _spread(sorted(groups))
    turned = [
        groups[s][turn % len(groups[s]) :] + groups[s][: turn % len(groups[s])]
        for turn, s in enumerate(subjects)
    ]
    chosen = [e for e in chain.from_iterable(zip_longest(*turned)) if e]
    if count is not None and not 1 <= count <= len(chosen):
        raise InputError(
            f"{count} cases are not to be had", where="--cases", expected=f"1 to {len(chosen)}"
        )
    return chosen[:count]


def without_subjects(entries: Sequence[Entry], subjects: set[str]) -> list[Entry]:
    """Entries of other subjects: real cases must be strangers to those they are compared with."""
    return [entry for entry in entries if entry.subject not in subjects]


def _spread(names: Sequence[str]) -> list[str]:
    """An order in which every beginning is spread evenly: by golden-section steps."""
    step = (5**0.5 - 1) / 2
    free, order = list(range(len(names))), []
    for turn in range(len(names)):
        wanted = (0.5 + turn * step) % 1 * len(names)
        nearest = min(free, key=lambda i: abs(i + 0.5 - wanted))
        free.remove(nearest)
        order.append(names[nearest])
    return order


def _of_folder(folder: Path) -> Iterator[Entry]:
    home = folder / "images" if (folder / "images").is_dir() else folder
    files = sorted(p for p in home.iterdir() if p.name.endswith(_SUFFIXES))
    for image in files:
        labels = folder / "labels" / image.name if home != folder else None
        found = labels if labels and labels.is_file() else None
        yield Entry(image, found, _subject(image))


def _of_csv(path: Path) -> Iterator[Entry]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if "image" not in (rows.fieldnames or ()):
            raise InputError("no column image", where=str(path), expected="image, labels, ...")
        for number, row in enumerate(rows, start=2):
            where = f"{path} line {number}"
            image = _file(path.parent, row.get("image"), where)
            if image is None:
                raise InputError("no image", where=where, expected="a file in the column image")
            labels = _file(path.parent, row.get("labels"), where)
            subject, split = row.get("subject") or _subject(image), row.get("split") or ""
            yield Entry(image, labels, subject, split)


def _file(home: Path, name: str | None, where: str) -> Path | None:
    if not name:
        return None
    path = home / name
    if not path.is_file():
        raise InputError(f"no such file {path}", where=where, expected="a path from the CSV on")
    return path


def _subject(image: Path) -> str:
    return _TIME.sub("", _stem(image))


def _stem(path: Path) -> str:
    return next((path.name[: -len(s)] for s in _SUFFIXES if path.name.endswith(s)), path.stem)
