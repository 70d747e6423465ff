"""Files that a run leaves, read back."""

from __future__ import annotations

import csv
from pathlib import Path

__all__ = ["bytes_of", "rows_of"]


def bytes_of(out: Path) -> dict[str, bytes]:
    """Every file of a folder by its path below it."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
