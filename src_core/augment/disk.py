"""How much disk space new cases take, from the headers of their sources."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.io.formats import format_of

__all__ = ["estimate", "free_bytes", "size_text"]

_SAMPLE = 32
_FLOATS = {"displacement": 12, "inverse": 12, "jacobian": 4}


def estimate(entries: Sequence[Entry], what: Sequence[str]) -> int:
    """Bytes of one new case before compression: the mean over some cases, evenly spread.

    Args:
        entries: the cases; those that cannot be read are passed over.
        what: parts of a result that are written, one name for each file.
    """
    places = np.linspace(0, len(entries) - 1, min(len(entries), _SAMPLE)).round().astype(int)
    sizes = [size for place in places if (size := _size(entries[place], what))]
    return round(sum(sizes) / len(sizes)) if sizes else 0


def free_bytes(folder: Path) -> int:
    """Free space on the disk of a folder, which need not exist yet.

    Raises:
        InputError: there is no such place.
    """
    nearest = next((p for p in (folder, *folder.absolute().parents) if p.exists()), None)
    try:
        return shutil.disk_usage(nearest or folder).free
    except OSError as error:
        raise InputError(
            f"the folder cannot be reached ({error.strerror})", where=str(folder)
        ) from error


def size_text(count: float) -> str:
    """Bytes in a readable unit: ``3.1 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _size(entry: Entry, what: Sequence[str]) -> int:
    headers = [_header(path) for path in entry.images]
    voxels, image = headers[0][0], sum(size for _, size in headers)
    labels = _header(entry.labels)[1] if entry.labels else 0
    each = {"image": image, "labels": labels, **{k: n * voxels for k, n in _FLOATS.items()}}
    return sum(each[part] for part in what)


def _header(path: Path) -> tuple[int, int]:
    """Voxels of the grid, and bytes of all frames; (0, 0) for a file that cannot be read."""
    found = format_of(path)
    if found is None or found.read_shape is None:
        return 0, 0
    try:
        shape, dtype = found.read_shape(path)
    except (OSError, InputError):
        return 0, 0
    return math.prod(shape[:3]), math.prod(shape) * dtype.itemsize
