"""JSON and CSV files of an experiment, each written whole or not at all."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from src_core.io import case_files, open_atomically

__all__ = ["plain", "write_csv", "write_json", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Text in UTF-8."""
    with open_atomically(path) as file:
        file.write(text.encode())


def write_json(path: Path, values: dict[str, Any]) -> None:
    """One JSON object, NaN as null."""
    case_files.write_json(path, plain(values), indent=1)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table with a row of headings."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def plain(value: Any) -> Any:
    """The same as JSON has it: NaN becomes None, a tuple a list."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
