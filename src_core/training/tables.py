"""Tables that a run appends to, as CSV; the first column counts the samples trained by then."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from src_core.io import open_atomically

__all__ = ["append_rows", "keep_until"]


def append_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Append rows of the same keys; a new file gets a header."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    writer.writerows(rows)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())


def keep_until(path: Path, samples: int) -> None:
    """Drop what a run wrote after the checkpoint that it resumes from, half a row included."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = file.read().splitlines(keepends=True) or [""]
    kept = [line for line in lines if line.endswith("\n") and _samples(line) <= samples]
    with open_atomically(path) as out:
        out.write("".join([header, *kept]).encode())


def _samples(line: str) -> float:
    first = line.split(",", 1)[0]
    return int(first) if first.isdigit() else float("inf")
