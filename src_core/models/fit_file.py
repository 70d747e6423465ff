"""Statistics of training images in the header of a model file, beside the spec.

The file without them has the bytes that it had before they were added: weights, spec and the
SHA-256 by which recipes know a model stay as they are.
"""

from __future__ import annotations

import hashlib
import re

from src_core.errors import InputError
from src_core.models.image_fit import FitStatistics

__all__ = ["FIT_KEY", "model_digest", "with_statistics", "without_statistics"]

FIT_KEY = "drdm-fit"
_START = b'{"__metadata__":{'
_ENTRY = re.compile(rb'^\{"__metadata__":\{"drdm-fit":"[A-Za-z0-9+/=]*",')


def with_statistics(content: bytes, statistics: FitStatistics | None) -> bytes:
    """The bytes of a model file with these statistics instead of its own, if any.

    Raises:
        InputError: the file is no model file.
    """
    header, data = _split(without_statistics(content))
    if statistics is None:
        return _joined(header, data)
    if not header.startswith(_START):
        raise InputError("the header of the model file has no spec")
    entry = f'"{FIT_KEY}":"{statistics.to_text()}",'.encode()
    return _joined(_START + entry + header[len(_START) :], data)


def without_statistics(content: bytes) -> bytes:
    """The bytes of a model file as they were before statistics were added."""
    header, data = _split(content)
    found = _ENTRY.match(header)
    return content if found is None else _joined(_START + header[found.end() :], data)


def model_digest(content: bytes) -> str:
    """SHA-256 of a model file without statistics: of what decides results."""
    return hashlib.sha256(without_statistics(content)).hexdigest()


def _split(content: bytes) -> tuple[bytes, bytes]:
    """The header, without its padding, and the tensors."""
    size = int.from_bytes(content[:8], "little")
    return content[8 : 8 + size].rstrip(b" "), content[8 + size :]


def _joined(header: bytes, data: bytes) -> bytes:
    """A file whose tensors begin at a multiple of eight bytes."""
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data
