"""Landmarks in tables: a CSV with columns x, y and z, and 3D Slicer's FCSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src_core.cases.point_set import Axes, PointSet
from src_core.errors import InputError
from src_core.io.atomic import open_atomically
from src_core.io.points import axes_of, checked_points, states_axes

__all__ = ["read_fcsv", "read_table", "write_table"]

#: Columns of coordinates, and what their names state.
_COLUMNS = (("xyz", ""), ("lps", "space=LPS"), ("ras", "space=RAS"))
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class _PointTable:
    """What a table holds besides the coordinates.

    Attributes:
        above: lines above the rows, the header among them.
        rows: fields of each row.
        columns: of the three coordinates.
        delimiter: between fields.
    """

    above: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: tuple[int, ...]
    delimiter: str


def read_table(path: Path, axes: Axes | None) -> PointSet:
    """A CSV with a header that names x, y and z, mm; a comment ``# space=LPS`` states the axes.

    So does a column ``space``, or columns named l, p, s or r, a, s instead.

    Raises:
        InputError: columns are missing, axes unknown, or a row is wrong.
    """
    lines = _lines(path)
    comments = [line for line in lines if line.startswith("#")]
    others = [line for line in lines if not line.startswith("#")]
    if not others:
        raise InputError("the table is empty", where=str(path), expected="columns x, y, z")
    delimiter = max(_DELIMITERS, key=others[0].count)
    header, *rows = _fields(others, delimiter)
    names = [name.strip().lower() for name in header]
    columns, stated = _coordinates(names, path)
    if "space" in names and rows:
        spaces = {row[names.index("space")].strip() for row in rows if len(row) == len(names)}
        stated = " ".join(f"space={one or '-'}" for one in sorted(spaces))
        if len(spaces) > 1:
            raise InputError(
                f"points of several coordinate systems ({', '.join(sorted(spaces))})",
                where=str(path),
                expected="one in the column space",
            )
    text = "\n".join([*comments, stated])
    own = axes_of(text, axes, path)
    if not states_axes(text):
        comments.append(f"# space={own}")
    return _points(_PointTable((*comments, others[0]), tuple(rows), columns, delimiter), own, path)


def read_fcsv(path: Path, axes: Axes | None) -> PointSet:
    """3D Slicer's FCSV: comments name the coordinate system and the columns.

    Raises:
        InputError: columns are missing, axes unknown, or a row is wrong.
    """
    lines = _lines(path)
    comments = [line for line in lines if line.startswith("#")]
    header = next((line for line in comments if "columns" in line and "=" in line), "")
    names = [name.strip().lower() for name in header.partition("=")[2].split(",")]
    columns, _ = _coordinates(names, path)
    rows = _fields([line for line in lines if not line.startswith("#")], ",")
    own = axes_of("\n".join(comments), axes, path)
    return _points(_PointTable(tuple(comments), tuple(rows), columns, ","), own, path)


def write_table(path: Path, points: PointSet) -> None:
    """The table that points came from with other coordinates; of no file, x, y and z alone.

    Raises:
        InputError: it cannot be written.
    """
    kept = points.content
    if not isinstance(kept, _PointTable):
        empty = tuple(("", "", "") for _ in points.positions)
        kept = _PointTable((f"# space={points.axes}", "x,y,z"), empty, (0, 1, 2), ",")
    text = io.StringIO()
    text.writelines(f"{line}\n" for line in kept.above)
    writer = csv.writer(text, delimiter=kept.delimiter, lineterminator="\n")
    for row, place in zip(kept.rows, points.coordinates, strict=True):
        fields = list(row)
        for column, value in zip(kept.columns, place, strict=True):
            fields[column] = f"{value:.6f}"
        writer.writerow(fields)
    with open_atomically(path) as file:
        file.write(text.getvalue().encode())


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("the table cannot be read", where=str(path), expected="UTF-8") from error
    return [line for line in text.splitlines() if line.strip()]


def _fields(lines: Sequence[str], delimiter: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(lines, delimiter=delimiter)]


def _coordinates(names: Sequence[str], path: Path) -> tuple[tuple[int, ...], str]:
    """Columns of the coordinates, and what their names state of the axes."""
    for wanted, stated in _COLUMNS:
        if all(names.count(one) == 1 for one in wanted):
            return tuple(names.index(one) for one in wanted), stated
    raise InputError(
        f"no columns x, y and z among {', '.join(filter(None, names)) or 'none'}",
        where=str(path),
        expected="x, y, z in mm, commas between them",
    )


def _points(kept: _PointTable, axes: Axes, path: Path) -> PointSet:
    coordinates = []
    for number, row in enumerate(kept.rows, start=1):
        try:
            coordinates.append([float(row[column]) for column in kept.columns])
        except (ValueError, IndexError) as error:
            raise InputError(
                f"point {number} has no three numbers", where=str(path), expected="x, y, z in mm"
            ) from error
    return checked_points(np.array(coordinates), axes, "points", path, kept)
