"""STL files, binary or text; a header or solid's name ``SPACE=LPS`` states the axes.

Corners at the same place are one point. Normals of facets are computed from their corners.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.point_set import Axes, PointSet
from src_core.io.atomic import open_atomically
from src_core.io.numbers import as_text, damaged, from_text
from src_core.io.points import axes_of, checked_points, with_axes

__all__ = ["read_stl", "write_stl"]

_HEADER = 80
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("colour", "<u2")])
_VERTEX = re.compile(rb"^\s*vertex\s+(\S+\s+\S+\s+\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class _StlFile:
    """Title, points of each facet (F, 3), and its last two bytes; None for text."""

    title: str
    corners: NDArray[np.intp]
    colours: NDArray[Any] | None


def read_stl(path: Path, axes: Axes | None) -> PointSet:
    """The corners of an STL file.

    Raises:
        InputError: no such file, or damaged.
    """
    data = path.read_bytes()
    count = int.from_bytes(data[_HEADER : _HEADER + 4], "little")
    colours = None
    if len(data) == _HEADER + 4 + count * _FACET.itemsize:
        facets = np.frombuffer(data, _FACET, count, _HEADER + 4)
        values, colours = facets["corners"].astype(np.float64), facets["colour"]
        title = data[:_HEADER]
    elif data.lstrip().startswith(b"solid"):
        title = data.lstrip().partition(b"\n")[0][5:]
        values = _text_corners(data, path)
    else:
        raise damaged(path, "neither text nor as long as its facets")
    name = title.partition(b"\0")[0].decode("utf-8", "replace").strip()
    places, which = np.unique(values.reshape(-1, 3), axis=0, return_inverse=True)
    kept = _StlFile(name, which.reshape(-1, 3), colours)
    return checked_points(places, axes_of(name, axes, path), "surface", path, kept)


def write_stl(path: Path, points: PointSet) -> None:
    """The file that points came from, at their new places.

    Raises:
        InputError: it cannot be written.
    """
    kept: _StlFile = points.content
    corners = points.coordinates[kept.corners]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, size, out=np.zeros_like(normals), where=size > 0)
    title = with_axes(kept.title, points.axes, _HEADER - 1)
    with open_atomically(path) as file:
        if kept.colours is None:
            file.write(_text(title, corners, normals).encode())
            return
        facets = np.zeros(len(corners), _FACET)
        facets["normal"], facets["corners"], facets["colour"] = normals, corners, kept.colours
        file.write(title.encode()[:_HEADER].ljust(_HEADER, b"\0"))
        file.write(len(facets).to_bytes(4, "little") + facets.tobytes())


def _text_corners(data: bytes, path: Path) -> NDArray[np.float64]:
    found = _VERTEX.findall(data)
    if not data.rstrip().rpartition(b"\n")[2].lstrip().startswith(b"endsolid") or len(found) % 3:
        raise damaged(path, "it ends among its facets")
    return from_text(b" ".join(found), 3 * len(found), path).reshape(-1, 3, 3)


def _text(title: str, corners: NDArray[np.float64], normals: NDArray[np.float64]) -> str:
    arrows, places = as_text(normals, np.float32), as_text(corners.reshape(-1, 3), np.float32)
    facets = [
        f"facet normal {arrow}\n outer loop\n  vertex {a}\n  vertex {b}\n  vertex {c}\n"
        " endloop\nendfacet\n"
        for arrow, a, b, c in zip(arrows, places[::3], places[1::3], places[2::3], strict=True)
    ]
    return f"solid {title}\n{''.join(facets)}endsolid\n"
