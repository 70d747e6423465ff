"""Landmarks and surfaces in files: coordinates in mm, along axes that the file states, or a caller.

No axes are assumed: where neither states them, mirrored results would look like right ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from src_core.cases.point_set import Axes, PointKind, PointSet, to_lps
from src_core.errors import InputError, OptionName, Phrase
from src_core.io.formats import point_ending_of, point_endings, point_format_named
from src_core.io.reach import check_reachable

__all__ = [
    "axes_named",
    "axes_of",
    "checked_points",
    "named_points",
    "read_points",
    "states_axes",
    "with_axes",
    "write_points",
]

_STATED = re.compile(
    r"(?:space|axes|coordinate ?system)[\"']?\s*[=:]\s*[\"']?([\w-]+)", re.IGNORECASE
)
_NAMES: dict[str, Axes] = {
    "lps": "LPS",
    "ras": "RAS",
    "left-posterior-superior": "LPS",
    "right-anterior-superior": "RAS",
    "0": "RAS",  # 3D Slicer's numbers
    "1": "LPS",
}


def read_points(
    path: str | Path, axes: Axes | None = None, kind: PointKind | None = None
) -> PointSet:
    """Read landmarks or the vertices of a surface.

    Args:
        path: a table (.csv) with columns x, y, z; 3D Slicer's .fcsv or .mrk.json; a surface
            as .vtk, .vtp, .stl or .ply.
        axes: of the coordinates, where the file does not state them.
        kind: what is wanted; either without.

    Raises:
        InputError: no such file, damaged, empty, without axes or with other ones than given.
    """
    path = Path(path)
    check_reachable(path)
    found = point_format_named(path)
    if found is None or kind not in (None, found.kind):
        raise _unknown(path, kind)
    if not path.is_file():
        raise InputError("no such file", where=str(path), do="check the path")
    with found.required(path):
        return found.read(path, axes)


def write_points(path: str | Path, points: PointSet) -> None:
    """Write points as the file they came from, with its other content; axes stay those of the file.

    Args:
        path: with the ending of that file; for points of no file a table.
        points: the positions, and the content of the file.

    Raises:
        InputError: it cannot be written, or the ending is another.
    """
    path = Path(path)
    right = point_ending_of(points.path or "") or point_endings()[0]
    found = point_format_named(path)
    if found is None or right not in found.endings:
        raise InputError(
            "points keep the format of their file",
            where=str(path),
            expected=f"a name that ends in {right}",
        )
    with found.required(path):
        found.write(path, points)


def named_points(points: Iterable[PointSet]) -> dict[str, PointSet]:
    """Point sets by their files' names: ``points.csv``, ``points-2.fcsv``, ``surface.vtk``."""
    named: dict[str, PointSet] = {}
    count: Counter[str] = Counter()
    for one in points:
        count[one.kind] += 1
        number = f"-{count[one.kind]}" if count[one.kind] > 1 else ""
        named[f"{one.kind}{number}{point_ending_of(one.path or '') or point_endings()[0]}"] = one
    return named


def axes_named(name: str, where: str) -> Axes:
    """The axes of a name as files have it.

    Raises:
        InputError: others than LPS and RAS.
    """
    known = _NAMES.get(name.strip().lower())
    if known is None:
        raise InputError(
            f"the coordinate system {name.strip() or '(empty)'} is not known",
            where=where,
            expected="LPS or RAS",
            do="export the points in LPS or RAS mm",
        )
    return known


def states_axes(text: str) -> bool:
    """Whether a text of a file names a coordinate system."""
    return _STATED.search(text) is not None


def with_axes(title: str, axes: Axes, most: int) -> str:
    """A file's title that states the axes, as 3D Slicer does, in at most so many characters."""
    if states_axes(title):
        return title
    tag = f"SPACE={axes}"
    return f"{title[: most - len(tag) - 2].strip()}; {tag}".lstrip("; ")


def axes_of(text: str, axes: Axes | None, path: Path) -> Axes:
    """The axes that a text of a file states, such as ``SPACE=LPS``, or those that were given.

    Raises:
        InputError: neither does, or the two differ.
    """
    stated = _STATED.search(text)
    own = axes_named(stated[1], str(path)) if stated else None
    if own and axes and own != axes:
        raise InputError(
            f"the file states that its coordinates are {own}",
            where=str(path),
            option="coordinates",
            expected=own,
            do="leave it out",
        )
    if own or axes:
        return own or axes  # type: ignore[return-value]
    raise InputError(
        "the file does not state the axes of its coordinates",
        where=str(path),
        expected="LPS or RAS",
        do=Phrase("state them with ", OptionName("coordinates", "LPS")),
    )


def checked_points(
    coordinates: ArrayLike,
    axes: Axes,
    kind: PointKind,
    path: Path,
    content: object,
    normals: ArrayLike | None = None,
) -> PointSet:
    """Points of a file's coordinates, (N, 3), mm, and their normals.

    Raises:
        InputError: there are none, or some are not finite.
    """
    values = np.asarray(coordinates, dtype=np.float64).reshape(-1, 3)
    if not len(values):
        raise InputError("the file holds no points", where=str(path), expected="at least one")
    if wrong := int((~np.isfinite(values)).any(axis=1).sum()):
        raise InputError(
            f"{wrong} of {len(values)} points have coordinates that are not finite",
            where=str(path),
            expected="numbers, mm",
        )
    own = None if normals is None else to_lps(normals, axes)
    return PointSet(to_lps(values, axes), axes, kind, path, content, own)


def _unknown(path: Path, kind: PointKind | None) -> InputError:
    endings = point_endings(kind)
    words = {"points": "landmarks", "surface": "surfaces", None: "landmarks or surfaces"}[kind]
    return InputError(
        f"{words} are not read from files ending in {path.suffix or 'nothing'}",
        where=str(path),
        expected=", ".join(endings),
    )
