"""SHA-256 of arrays and files, by which a recipe identifies its inputs and outputs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.errors import InputError

__all__ = ["sha256_array", "sha256_file"]

_CHUNK = 1 << 24


def sha256_array(array: NDArray[Any]) -> str:
    """Digest of type, shape and values (C order, little-endian, whatever the memory layout)."""
    values = np.asarray(array)
    dtype = values.dtype.newbyteorder("<")
    digest = hashlib.sha256(f"{dtype.str}{values.shape}".encode())
    lines = np.atleast_1d(values)
    step = max(1, _CHUNK * len(lines) // max(values.nbytes, 1))
    for start in range(0, len(lines), step):
        some = lines[start : start + step]
        digest.update(some.astype(dtype, order="C", copy=False).tobytes())
    return digest.hexdigest()


def sha256_file(path: str | Path) -> str:
    """Digest of a file's bytes.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(
            "the file cannot be read", where=str(path), expected="a readable file"
        ) from error
    return digest.hexdigest()
