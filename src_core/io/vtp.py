"""VTK's XML files of polygons: all but points and normals stays as it is, they become text.

A string ``SPACE`` among the field data states the axes, as 3D Slicer writes it.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src_core.cases.point_set import Axes, PointSet, to_lps
from src_core.io.atomic import open_atomically
from src_core.io.numbers import as_text, damaged, from_text
from src_core.io.points import axes_of, checked_points, states_axes

__all__ = ["read_vtp", "write_vtp"]

_ARRAY = re.compile(rb"<DataArray\b([^>]*?)(?:/>|>(.*?)</DataArray>)", re.DOTALL)
_KEY = re.compile(rb"<InformationKey\b.*?</InformationKey>", re.DOTALL)
_APPENDED = re.compile(rb"<AppendedData\b([^>]*)>\s*_", re.DOTALL)
_TYPES = {"Float32": "f4", "Float64": "f8", "String": "u1"}
_ZLIB = "vtkZLibDataCompressor"


@dataclass(frozen=True)
class _VtpArray:
    """A ``DataArray`` in the file: where it is, its attributes and text."""

    start: int
    stop: int
    attributes: dict[str, str]
    text: bytes


@dataclass(frozen=True)
class _VtpFile:
    """The file, and where its points and normals are, and whether it states axes."""

    data: bytes
    points: _VtpArray
    normals: _VtpArray | None
    stated: bool


def read_vtp(path: Path, axes: Axes | None) -> PointSet:
    """The points of a file of polygons.

    Raises:
        InputError: no such file, damaged, in several pieces, or compressed other than by zlib.
    """
    data = path.read_bytes()
    root = re.search(rb"<VTKFile\b([^>]*)>", data)
    if root is None or data.count(b"<Piece") != 1 or b"</VTKFile>" not in data:
        raise damaged(path, "no whole VTKFile of one piece")
    file = _attributes(root[1])
    found = [_block(m) for m in _ARRAY.finditer(data)]
    points = _within(found, *_section(data, b"Points"))
    if points is None:
        raise damaged(path, "no Points")
    named = _attributes(_tag(data, b"PointData")).get("Normals")
    arrays = _all_within(found, *_section(data, b"PointData"))
    normals = next((b for b in arrays if named and b.attributes.get("Name") == named), None)
    space = next((b for b in found if b.attributes.get("Name") == "SPACE"), None)
    text = "" if space is None else f"SPACE={_letters(_numbers(data, space, file, path))}"
    values = _numbers(data, points, file, path)
    arrows = None if normals is None else _numbers(data, normals, file, path).reshape(-1, 3)
    if values.size % 3 or (arrows is not None and arrows.size != values.size):
        raise damaged(path, "points of other than three numbers")
    kept = _VtpFile(data, points, normals, states_axes(text))
    return checked_points(values, axes_of(text, axes, path), "surface", path, kept, arrows)


def write_vtp(path: Path, points: PointSet) -> None:
    """The file that points came from, at their new places.

    Raises:
        InputError: it cannot be written.
    """
    kept: _VtpFile = points.content
    new = [(kept.points, points.coordinates)]
    if kept.normals is not None and points.normals is not None:
        new.append((kept.normals, to_lps(points.normals, points.axes)))
    data = kept.data
    for block, values in sorted(new, key=lambda one: -one[0].start):
        data = data[: block.start] + _element(block, values) + data[block.stop :]
    if not kept.stated:
        data = _stating(data, points.axes)
    with open_atomically(path) as file:
        file.write(data)


def _numbers(
    data: bytes, block: _VtpArray, file: dict[str, str], path: Path
) -> NDArray[np.float64]:
    """The values of an array, of whichever encoding."""
    kind, form = _TYPES.get(block.attributes.get("type", "")), block.attributes.get("format")
    if kind is None:
        raise damaged(path, f"numbers of the type {block.attributes.get('type')}")
    if form == "ascii":
        return from_text(block.text, len(block.text.split()), path)
    order = ">" if file.get("byte_order") == "BigEndian" else "<"
    head = np.dtype(order + ("u8" if file.get("header_type") == "UInt64" else "u4"))
    try:
        read = _reader(data, block, path)
        if "compressor" not in file:
            size = int(np.frombuffer(read(head.itemsize, 0), head)[0])
            return _floats(read(head.itemsize + size, 0)[head.itemsize :], order + kind)
        if file["compressor"] != _ZLIB:
            raise damaged(path, f"it is compressed by {file['compressor']}: save it without")
        return _floats(_inflated(read, head), order + kind)
    except (ValueError, IndexError, binascii.Error, zlib.error) as error:
        if type(error).__module__.startswith("src_core"):
            raise
        raise damaged(path, "an array that cannot be read") from error


def _reader(data: bytes, block: _VtpArray, path: Path) -> Callable[[int, int], bytes]:
    """Reads bytes of an array; what is compressed comes behind its header, each encoded alone.

    The function takes how many bytes, and the length of the header before them, or 0.
    """
    if block.attributes.get("format") != "appended":
        text, start, raw = b"".join(block.text.split()), 0, False
    else:
        found = _APPENDED.search(data)
        if found is None:
            raise damaged(path, "no appended data")
        text, start = data, found.end() + int(block.attributes.get("offset", 0))
        raw = _attributes(found[1]).get("encoding") == "raw"

    def read(count: int, after: int) -> bytes:
        if raw:
            got = text[start + after : start + after + count]
        else:
            begin = start + 4 * (-(-after // 3))
            got = base64.b64decode(text[begin : begin + 4 * (-(-count // 3))])[:count]
        if len(got) < count:
            raise ValueError("too short")
        return got

    return read


def _inflated(read: Callable[[int, int], bytes], head: np.dtype[np.uint64]) -> bytes:
    """Blocks that zlib compressed: their number, size, last size, then how long each is."""
    count = int(np.frombuffer(read(head.itemsize, 0), head)[0])
    size = (3 + count) * head.itemsize
    lengths = np.frombuffer(read(size, 0), head)[3:].astype(int)
    packed = read(int(lengths.sum()), size)
    ends = np.cumsum(lengths)
    return b"".join(
        zlib.decompress(packed[end - n : end]) for end, n in zip(ends, lengths, strict=True)
    )


def _floats(data: bytes, dtype: str) -> NDArray[np.float64]:
    return np.frombuffer(data, dtype).astype(np.float64)


def _element(block: _VtpArray, values: NDArray[np.float64]) -> bytes:
    kind, name = block.attributes["type"], block.attributes.get("Name", "Points")
    lines = "\n".join(as_text(values, _TYPES[kind]))
    head = f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="3" format="ascii">'
    return f"{head}\n{lines}\n</DataArray>".encode()


def _stating(data: bytes, axes: Axes) -> bytes:
    codes = " ".join(str(ord(letter)) for letter in axes)
    array = (
        f'<DataArray type="String" Name="SPACE" NumberOfTuples="1" format="ascii">{codes} 0'
        "</DataArray>"
    ).encode()
    if b"<FieldData>" in data:
        return data.replace(b"<FieldData>", b"<FieldData>" + array, 1)
    return data.replace(b"<PolyData>", b"<PolyData><FieldData>" + array + b"</FieldData>", 1)


def _letters(codes: NDArray[np.float64]) -> str:
    return bytes(codes.astype(np.uint8)).partition(b"\0")[0].decode("ascii", "replace")


def _block(found: re.Match[bytes]) -> _VtpArray:
    text = _KEY.sub(b"", found[2] or b"")
    return _VtpArray(found.start(), found.end(), _attributes(found[1]), text)


def _attributes(tag: bytes) -> dict[str, str]:
    pairs = re.findall(rb"(\w+)\s*=\s*\"([^\"]*)\"", tag)
    return {name.decode(): value.decode("utf-8", "replace") for name, value in pairs}


def _tag(data: bytes, name: bytes) -> bytes:
    found = re.search(rb"<" + name + rb"\b([^>]*)>", data)
    return found[1] if found else b""


def _section(data: bytes, name: bytes) -> tuple[int, int]:
    found = re.search(rb"<" + name + rb"\b[^>]*>(.*?)</" + name + rb">", data, re.DOTALL)
    return found.span(1) if found else (0, 0)


def _all_within(found: list[_VtpArray], start: int, stop: int) -> list[_VtpArray]:
    return [block for block in found if start <= block.start < stop]


def _within(found: list[_VtpArray], start: int, stop: int) -> _VtpArray | None:
    return next(iter(_all_within(found, start, stop)), None)
