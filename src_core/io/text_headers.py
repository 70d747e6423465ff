"""The text in front of MetaImage and NRRD files: what it says of the values, as a ``Header``."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from src_core.errors import InputError
from src_core.io.headers import Header

__all__ = ["metaimage_entries", "metaimage_header", "nrrd_header"]

_LENGTH = 1 << 20
_DATA = "ElementDataFile"
_SPACE_AXES = ("domain", "space")
_FLOATS = ("float", "double", "met_float", "met_double")


def metaimage_header(path: Path) -> Header:
    """What a MetaImage says of its values.

    Raises:
        InputError: it is no MetaImage.
    """
    known, _ = metaimage_entries(path)
    if "NDims" not in known or "ElementType" not in known:
        raise _damaged(path, "MetaImage")
    count = _number(known.get("ElementNumberOfChannels", "1"), path, "MetaImage")
    kind = known["ElementType"].lower().removesuffix("_array")
    ndim = _number(known["NDims"], path, "MetaImage")
    return Header("MetaImage", path.name.lower(), ndim, count, kind in _FLOATS)


def metaimage_entries(path: Path) -> tuple[dict[str, str], int]:
    """Entries of a MetaImage's header, and where voxels begin that follow it.

    Raises:
        InputError: no such file.
    """
    before, mark, rest = _text(path).partition(_DATA)
    last = rest.partition("\n")[0]
    lines = [line.partition("=") for line in (*before.split("\n"), mark + last)]
    known = {key.strip(): value.strip() for key, sign, value in lines if sign}
    return known, len(before) + len(mark) + len(last) + 1


def nrrd_header(path: Path) -> Header:
    """What an NRRD file says of its values.

    Raises:
        InputError: it is no NRRD file.
    """
    first, *lines = _text(path).replace("\r", "").split("\n")
    own = list(takewhile(bool, lines))  # a blank line ends the header
    fields = {
        key.strip().lower(): value.strip()
        for line in own
        if not line.startswith("#")
        for key, value in [line.split(":=" if ":=" in line else ":", 1)]
        if ":" in line
    }
    if not first.startswith("NRRD") or "type" not in fields or "sizes" not in fields:
        raise _damaged(path, "NRRD")
    sizes = [_number(word, path, "NRRD") for word in fields["sizes"].split()]
    axis, count, frames = _axis_of_values(sizes, fields)
    return Header(
        "NRRD",
        path.name.lower(),
        len(sizes) - (count > 1) - (frames > 1),
        count,
        fields["type"].lower() in _FLOATS,
        frames,
        axis=axis,
        keys=fields,
    )


def _axis_of_values(sizes: list[int], fields: dict[str, str]) -> tuple[str, int, int]:
    """Kind and length of the axis that values of a voxel lie along, and voxels along time."""
    kinds = fields.get("kinds", "").lower().split()
    directions = fields.get("space directions", "").lower()
    if not kinds and "none" in directions:
        kinds = ["???" if word == "none" else "domain" for word in directions.split()]
    frames = 1
    for kind, size in zip(kinds, sizes, strict=False):
        if kind == "time":
            frames = size
        elif kind not in _SPACE_AXES and size > 1:
            return kind.replace("???", ""), size, frames
    return "", 1, frames


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError("no such file", where=str(path), expected="a displacement field")
    with path.open("rb") as file:
        text = file.read(_LENGTH).decode("latin-1")
    return text


def _number(word: str, path: Path, name: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise _damaged(path, name) from None


def _damaged(path: Path, name: str) -> InputError:
    return InputError(
        f"ITK cannot read the file: its header is not that of {name}",
        where=str(path),
        expected="a complete vector image or transform",
        do="write it again from the tool that made it",
    )
