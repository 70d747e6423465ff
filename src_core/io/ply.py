"""PLY files: all properties but coordinates and normals stay as they are.

A comment ``SPACE=LPS`` states the axes, as 3D Slicer writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.point_set import Axes, PointSet, to_lps
from src_core.io.atomic import open_atomically
from src_core.io.numbers import as_text, damaged, from_text
from src_core.io.points import axes_of, checked_points, states_axes

__all__ = ["read_ply", "write_ply"]

_END = b"end_header"
_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_PLACE, _NORMAL = ["x", "y", "z"], ["nx", "ny", "nz"]


@dataclass(frozen=True, eq=False)
class _PlyFile:
    """Header lines, a record for each vertex, and the bytes after them."""

    header: tuple[str, ...]
    vertices: NDArray[Any]
    ascii: bool
    rest: bytes


def read_ply(path: Path, axes: Axes | None) -> PointSet:
    """The vertices of a PLY file.

    Raises:
        InputError: no such file, damaged, or without vertices as its first element.
    """
    data = path.read_bytes()
    head, end, body = data.partition(_END)
    header = tuple(head.decode("utf-8", "replace").splitlines())
    line = body.find(b"\n") + 1
    if header[:1] != ("ply",) or not end or not line:
        raise damaged(path, "no header of PLY")
    vertices, used, ascii = _vertices(header, body[line:], path)
    own = axes_of("\n".join(text for text in header if text.startswith("comment")), axes, path)
    kept = _PlyFile(header, vertices, ascii, body[line + used :])
    has_normals = set(_NORMAL) <= set(vertices.dtype.names or ())
    normals = _columns(vertices, _NORMAL) if has_normals else None
    return checked_points(_columns(vertices, _PLACE), own, "surface", path, kept, normals)


def write_ply(path: Path, points: PointSet) -> None:
    """The file that points came from, at their new places.

    Raises:
        InputError: it cannot be written.
    """
    kept: _PlyFile = points.content
    vertices = kept.vertices.copy()
    new = list(zip(_PLACE, points.coordinates.T, strict=True))
    if points.normals is not None:
        new += zip(_NORMAL, to_lps(points.normals, points.axes).T, strict=True)
    for name, values in new:
        vertices[name] = values
    header = list(kept.header)
    if not states_axes("\n".join(text for text in header if text.startswith("comment"))):
        header.insert(2, f"comment SPACE={points.axes}")
    with open_atomically(path) as file:
        file.write("\n".join([*header, _END.decode(), ""]).encode())
        file.write(_text(vertices) if kept.ascii else vertices.tobytes())
        file.write(kept.rest)


def _vertices(header: tuple[str, ...], body: bytes, path: Path) -> tuple[NDArray[Any], int, bool]:
    """A record for each vertex, how many bytes hold them, and whether they are text."""
    words = [line.split() for line in header]
    form = next((w[1] for w in words if w[0:1] == ["format"] and len(w) > 1), "")
    elements = [i for i, w in enumerate(words) if w[0:1] == ["element"]]
    if form not in _ORDERS or not elements or words[elements[0]][1:2] != ["vertex"]:
        raise damaged(path, "no vertices in its header")
    own = words[elements[0] + 1 : [*elements, len(words)][1]]
    properties = [w for w in own if w[0:1] == ["property"]]
    try:
        count = int(words[elements[0]][2])
        dtype = np.dtype([(w[2], _ORDERS[form] + _TYPES[w[1]]) for w in properties])
    except (LookupError, ValueError, TypeError) as error:
        raise damaged(path, "a header that cannot be read") from error
    if not set(_PLACE) <= set(dtype.names or ()):
        raise damaged(path, "no x, y and z of its vertices")
    if form != "ascii":
        used = count * dtype.itemsize
        if used > len(body):
            raise damaged(path, "it ends among its vertices")
        return np.frombuffer(body[:used], dtype), used, False
    lines = body.split(b"\n", count)
    if len(lines) < count + 1 and len(lines[-1].split()) != len(properties):
        raise damaged(path, "it ends among its vertices")
    text = b"\n".join(lines[:count])
    values = from_text(text, count * len(properties), path).reshape(count, -1)
    records = np.zeros(count, dtype)
    for name, column in zip(dtype.names or (), values.T, strict=True):
        records[name] = column
    return records, len(text) + 1, True


def _columns(records: NDArray[Any], names: list[str]) -> NDArray[np.float64]:
    return np.stack([records[name].astype(np.float64) for name in names], axis=-1)


def _text(records: NDArray[Any]) -> bytes:
    columns = [
        as_text(records[name][:, None], records[name].dtype) for name in records.dtype.names or ()
    ]
    return "".join(f"{' '.join(row)}\n" for row in zip(*columns, strict=True)).encode()
