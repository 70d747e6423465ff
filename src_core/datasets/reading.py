"""Data sets: a folder, BIDS, a CSV, what ``dataset.json`` describes, a run of ``drdm augment``.

A CSV has the column ``image`` and, if there are, ``labels``, ``name``, ``subject``, ``split``,
``weight``, ``points``, ``surface`` and ``coordinates``; paths start where it lies. ``read_dataset``
reads cases with their labels, ``read_images`` what a model is trained on, without.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

from src_core.datasets.bids import is_bids, read_bids
from src_core.datasets.described import is_described, read_described
from src_core.datasets.entry import Absent, Entry, check_name, stem, subject_of
from src_core.datasets.folder import beside, files_of, is_flat, read_folder
from src_core.datasets.run_folder import INDEX, is_run, subjects_of
from src_core.errors import InputError
from src_core.io.formats import NIFTI

__all__ = ["Entry", "balanced", "read_dataset", "read_images", "without_subjects"]


def read_dataset(path: Path | str, *, absent: Absent = "refuse") -> list[Entry]:
    """The cases of a data set, in the order of the CSV or of the files' names.

    Without a column, a subject is a file's name up to a suffix of time: ``patient001_frame01`` and
    ``patient001_frame12`` are two cases of one subject.

    Args:
        path: a folder, a CSV or a ``dataset.json``.
        absent: a case with a missing file is an error ("refuse"), or stays in the list ("keep"), so
            that only its own reading fails.

    Raises:
        InputError: no such data set, an empty one, or missing files: any of them, or with "keep"
            all images.
    """
    path = Path(path)
    try:
        entries = _entries(path, absent)
        known = subjects_of(path)
    except PermissionError as error:
        raise InputError(
            "the data set cannot be read (no permission)",
            where=str(error.filename or path),
            expected="a readable folder",
        ) from error
    if not entries:
        raise InputError("the data set is empty", where=str(path), expected="images")
    for entry in entries:
        check_name(entry.name, str(path))
    if absent == "keep" and not any(os.path.exists(entry.image) for entry in entries):
        return read_dataset(path)
    return [replace(e, subject=known.get(e.name, e.subject)) for e in entries]


def _entries(path: Path, absent: Absent) -> list[Entry]:
    if is_described(path):
        return read_described(path, absent)
    if path.is_dir():
        if is_run(path):
            return list(_of_csv(path / INDEX, absent))
        return list(read_bids(path) if is_bids(path) else read_folder(path))
    if _is_table(path):
        return list(_of_csv(path, absent))
    raise _unknown(path, "a folder with images/ and labels/, a .csv or a dataset.json")


def read_images(path: Path | str) -> list[Entry]:
    """The NIfTI files of a data set, and labels that a CSV names; subjects as a column names them.

    Raises:
        InputError: no data set, an empty one, a row that is wrong, or a file listed twice.
    """
    path = Path(path)
    if is_described(path):
        found = [Entry(e.image) for e in read_described(path)]
    elif is_bids(path):
        found = [Entry(e.image) for e in read_bids(path)]
    elif path.is_dir():
        files = files_of(path, NIFTI.endings)
        found = [Entry(e.image) for e in (beside(files) if is_flat(path) else map(Entry, files))]
    elif _is_table(path):
        found = list(_weighted(path))
    else:
        raise _unknown(path, "a folder of NIfTI files or a .csv with a column image")
    if not found:
        raise InputError("data set is empty", where=str(path), expected="NIfTI images")
    return found


def balanced(entries: Sequence[Entry], count: int | None) -> list[Entry]:
    """``count`` entries, spread over the data set: any beginning of the list is spread as well.

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
            f"{count} cases are unavailable", option="cases", expected=f"1 to {len(chosen)}"
        )
    return chosen[:count]


def without_subjects(entries: Sequence[Entry], subjects: set[str]) -> list[Entry]:
    """Entries of other subjects: real cases are compared with those of other subjects only."""
    return [entry for entry in entries if entry.subject not in subjects]


def _spread(names: Sequence[str]) -> list[str]:
    """An order of which every beginning is spread evenly, by golden-section steps."""
    step = (5**0.5 - 1) / 2
    free, order = list(range(len(names))), []
    for turn in range(len(names)):
        wanted = (0.5 + turn * step) % 1 * len(names)
        nearest = min(free, key=lambda i: abs(i + 0.5 - wanted))
        free.remove(nearest)
        order.append(names[nearest])
    return order


def _is_table(path: Path) -> bool:
    return path.suffix == ".csv" and path.is_file()


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV, each with its place in the file, for messages."""
    try:
        for number, row in enumerate(_table(path), start=2):
            yield f"{path} line {number}", {k: v or "" for k, v in row.items() if k}
    except csv.Error as error:
        raise InputError(
            f"the table cannot be read ({error})", where=str(path), expected="a CSV of short cells"
        ) from error


def _table(path: Path) -> csv.DictReader[str]:
    try:
        return csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
    except (UnicodeDecodeError, OSError) as error:
        raise InputError("the table cannot be read", where=str(path), expected="UTF-8") from error


def _of_csv(path: Path, absent: Absent) -> Iterator[Entry]:
    if "image" not in (_table(path).fieldnames or ()):
        raise InputError(
            "no column image", where=str(path), expected="image, labels, ..., commas between them"
        )
    for where, row in _rows(path):
        image = _file(path.parent, row["image"], where, absent)
        if image is None:
            raise InputError("no image", where=where, expected="a file in the column image")
        labels = _file(path.parent, row.get("labels"), where, absent)
        name = row.get("name") or stem(image)
        yield Entry(
            image,
            labels,
            row.get("subject") or subject_of(name),
            row.get("split") or "",
            called=name,
            points=_file(path.parent, row.get("points"), where, absent),
            surface=_file(path.parent, row.get("surface"), where, absent),
            coordinates=_coordinates(row.get("coordinates"), where),
        )


def _weighted(path: Path) -> Iterator[Entry]:
    seen: dict[Path, str] = {}
    for where, row in _rows(path):
        if not row.get("image"):
            raise InputError("no image", where=where, expected="column image")
        image, number = path.parent / row["image"], where.rpartition(" ")[2]
        if (first := seen.setdefault(image.resolve(), number)) != number:
            raise InputError(
                f"{row['image']} is listed twice",
                where=f"{path} lines {first} and {number}",
                do="list it once; weight draws it more often",
            )
        split, weight = row.get("split", "").strip().lower(), _weight(row.get("weight"), where)
        labels = _file(path.parent, row.get("labels"), where, "refuse")
        yield Entry(image, labels, row.get("subject", ""), split, weight)


def _weight(text: str | None, where: str) -> float:
    try:
        weight = float(text or 1.0)
    except ValueError:
        weight = -1.0
    if not 0 < weight < math.inf:
        raise InputError(f"weight {text} is not possible", where=where, expected="a number above 0")
    return weight


def _coordinates(text: str | None, where: str) -> str:
    name = (text or "").strip().upper()
    if name not in ("", "LPS", "RAS"):
        raise InputError(f"coordinates {text} are not known", where=where, expected="LPS or RAS")
    return name


def _file(home: Path, name: str | None, where: str, absent: Absent) -> Path | None:
    if not name:
        return None
    path = home / name
    if absent == "refuse" and not path.exists():  # a DICOM series is a folder
        raise InputError(f"no such file {path}", where=where, expected="a path from the CSV on")
    return path


def _unknown(path: Path, expected: str) -> InputError:
    what = "this is no data set" if os.path.exists(path) else "no such data set"
    return InputError(what, where=str(path), expected=expected)
