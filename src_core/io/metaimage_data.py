"""Whether a MetaImage has all its voxels: ITK reads damaged ones as what is in memory."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO

from src_core.errors import InputError
from src_core.io.text_headers import metaimage_entries

__all__ = ["check_metaimage"]

_CHUNK = 1 << 20
_LOCAL = "local"
_BYTES = {"char": 1, "short": 2, "int": 4, "long": 4, "long_long": 8, "float": 4, "double": 8}


def check_metaimage(path: Path) -> None:
    """Refuse compressed voxels that end early or are damaged, and lists of files.

    Raises:
        InputError: the header or the voxels are no complete MetaImage.
    """
    known, start = metaimage_entries(path)
    data = known.get("ElementDataFile", "")
    if data.lower() == "list" or "%" in data:
        raise InputError(
            "the MetaImage is a list of files",
            where=str(path),
            expected="one file of voxels",
            do="save it as one .mha or .nii.gz",
        )
    if known.get("CompressedData", "").lower() != "true":
        return
    local = data.lower() == _LOCAL
    try:
        with (path if local else path.parent / data).open("rb") as file:
            file.seek(start if local else 0)
            _unpack(file, _size(known), path)
    except (OSError, KeyError, ValueError, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise _damaged(path) from error


def _size(known: dict[str, str]) -> int:
    kind = known["ElementType"].lower().removeprefix("met_").removesuffix("_array")
    size = _BYTES[kind.removeprefix("u")]
    for count in (*known["DimSize"].split(), known.get("ElementNumberOfChannels", "1")):
        size *= int(count)
    return size


def _unpack(file: IO[bytes], size: int, path: Path) -> None:
    """Count unpacked bytes, never more than there should be."""
    unpacker, found = zlib.decompressobj(), 0
    while not unpacker.eof and found <= size:
        chunk = unpacker.unconsumed_tail or file.read(_CHUNK)
        if not chunk:
            break
        found += len(unpacker.decompress(chunk, _CHUNK))
    if found != size or not unpacker.eof:
        raise _damaged(path)


def _damaged(path: Path) -> InputError:
    return InputError(
        "the compressed voxels end early or are damaged",
        where=str(path),
        expected="a complete MetaImage",
        do="copy or export it again",
    )
