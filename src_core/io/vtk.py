"""Legacy VTK files of polygons or an unstructured grid: all but points and normals stays as it is.

The title states the axes, ``SPACE=LPS``, as 3D Slicer writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src_core.cases.point_set import Axes, PointSet, to_lps
from src_core.io.atomic import open_atomically
from src_core.io.numbers import as_text, damaged, from_text
from src_core.io.points import axes_of, checked_points, with_axes

__all__ = ["read_vtk", "write_vtk"]

_HEAD = re.compile(
    rb"# vtk DataFile Version [\d.]+[^\n]*\n([^\n]*)\n\s*(ASCII|BINARY)\s*\n"
    rb"\s*DATASET\s+(POLYDATA|UNSTRUCTURED_GRID)\s*\n",
    re.IGNORECASE,
)
_POINTS = re.compile(rb"^POINTS\s+(\d+)\s+(float|double)[ \t\r]*\n", re.IGNORECASE | re.MULTILINE)
_NORMALS = re.compile(rb"^NORMALS\s+\S+\s+(float|double)[ \t\r]*\n", re.IGNORECASE | re.MULTILINE)
_DATA = re.compile(rb"^(POINT|CELL)_DATA\s+\d+", re.IGNORECASE | re.MULTILINE)
_NEXT = re.compile(rb"\n\s*[A-Za-z]")
_TYPES = {b"float": ">f4", b"double": ">f8"}
_TITLE = 255


@dataclass(frozen=True)
class _VtkNumbers:
    """Numbers at a place in the file."""

    start: int
    stop: int
    dtype: str


@dataclass(frozen=True)
class _VtkFile:
    """The file, and where its title, points and normals are; ``ascii`` tells text from bytes."""

    data: bytes
    title: tuple[int, int]
    ascii: bool
    points: _VtkNumbers
    normals: _VtkNumbers | None


def read_vtk(path: Path, axes: Axes | None) -> PointSet:
    """The points of a legacy file.

    Raises:
        InputError: no such file, damaged, or neither polygons nor an unstructured grid.
    """
    data = path.read_bytes()
    head = _HEAD.match(data)
    if head is None:
        raise damaged(path, "no header of polygons or an unstructured grid")
    ascii = head[2].upper() == b"ASCII"
    found = _POINTS.search(data, head.end() - 1)
    if found is None:
        raise damaged(path, "no POINTS of type float or double")
    count = int(found[1])
    block = _block(data, found.end(), count, found[2], ascii, path)
    normals = _normals(data, block.stop, count, ascii, path)
    kept = _VtkFile(data, head.span(1), ascii, block, normals)
    own = axes_of(head[1].decode("utf-8", "replace"), axes, path)
    values = _values(kept, block, count, path)
    arrows = None if normals is None else _values(kept, normals, count, path)
    return checked_points(values, own, "surface", path, kept, arrows)


def write_vtk(path: Path, points: PointSet) -> None:
    """The file that points came from, at their new places.

    Raises:
        InputError: it cannot be written.
    """
    kept: _VtkFile = points.content
    new = [(kept.points, points.coordinates)]
    if kept.normals is not None and points.normals is not None:
        new.append((kept.normals, to_lps(points.normals, points.axes)))
    start, stop = kept.title
    title = with_axes(kept.data[start:stop].decode("utf-8", "replace").strip(), points.axes, _TITLE)
    parts, done = [kept.data[:start], title.encode()], stop
    for block, values in new:
        parts += [kept.data[done : block.start], _written(values, block.dtype, kept.ascii)]
        done = block.stop
    with open_atomically(path) as file:
        file.write(b"".join([*parts, kept.data[done:]]))


def _normals(data: bytes, start: int, count: int, ascii: bool, path: Path) -> _VtkNumbers | None:
    """Normals of the points; those of cells stay as they are."""
    for found in _NORMALS.finditer(data, start):
        of = [section[1].upper() for section in _DATA.finditer(data, start, found.start())]
        if of and of[-1] == b"POINT":
            return _block(data, found.end(), count, found[1], ascii, path)
    return None


def _block(
    data: bytes, start: int, count: int, kind: bytes, ascii: bool, path: Path
) -> _VtkNumbers:
    dtype = _TYPES[kind.lower()]
    if ascii:
        after = _NEXT.search(data, start - 1)
        return _VtkNumbers(start, after.start() if after else len(data), dtype)
    stop = start + 3 * count * np.dtype(dtype).itemsize
    if stop > len(data):
        raise damaged(path, "it ends among its points")
    return _VtkNumbers(start, stop, dtype)


def _values(kept: _VtkFile, block: _VtkNumbers, count: int, path: Path) -> NDArray[np.float64]:
    part = kept.data[block.start : block.stop]
    if kept.ascii:
        return from_text(part, 3 * count, path).reshape(-1, 3)
    return np.frombuffer(part, block.dtype).astype(np.float64).reshape(-1, 3)


def _written(values: NDArray[np.float64], dtype: str, ascii: bool) -> bytes:
    return "\n".join(as_text(values, dtype)).encode() if ascii else values.astype(dtype).tobytes()
