"""Numbers of surface files: as text, or as bytes of a type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.errors import InputError

__all__ = ["as_text", "damaged", "from_text"]


def from_text(text: bytes, count: int, path: Path) -> NDArray[np.float64]:
    """Numbers with space between them.

    Raises:
        InputError: another number of them, or something else.
    """
    try:
        values = np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise damaged(path, "text among its numbers") from error
    if len(values) != count:
        raise damaged(path, f"{len(values)} numbers instead of {count}")
    return values


def as_text(values: ArrayLike, dtype: Any = np.float64) -> list[str]:
    """Rows (N, C) as lines, each number as exact as its type."""
    digits = 9 if np.dtype(dtype).itemsize <= 4 else 17
    return [" ".join(f"{v:.{digits}g}" for v in row) for row in np.asarray(values, dtype).tolist()]


def damaged(path: Path, why: str) -> InputError:
    """The error of a surface file that cannot be read."""
    return InputError(
        f"this is no surface, or it is damaged ({why})",
        where=str(path),
        expected="a whole file of the kind its ending names",
    )
