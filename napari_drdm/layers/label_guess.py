"""Does an image look like a label map, opened as an image by mistake? No Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_labels", "looks_like_labels"]

#: Different values that a label map has at most, to be taken for one.
_MOST_VALUES = 40
#: Neighbours with the same value, as a share: labels lie in regions, intensities do not.
_ALIKE = 0.9
#: Rows that are looked at, evenly spread.
_ROWS = 4000


def looks_like_labels(values: Any) -> bool:
    """Whether an array (..., columns) holds few whole numbers from 0 on, in regions."""
    if values.ndim < 2 or values.dtype.kind not in "biuf":
        return False
    rows = _some_rows(values)
    if not np.isfinite(rows).all() or (rows != np.rint(rows)).any() or rows.min() != 0:
        return False
    found = np.unique(rows)
    alike = float((rows[:, 1:] == rows[:, :-1]).mean()) if rows.shape[1] > 1 else 0.0
    return 2 <= len(found) <= _MOST_VALUES and alike >= _ALIKE


def as_labels(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in an integer type."""
    if values.dtype.kind in "iu":
        return np.array(values)
    return np.rint(values).astype(np.uint8 if values.max() < 256 else np.int32)


def _some_rows(values: Any) -> NDArray[np.float64]:
    """Rows of an array that may lie on a disk, (n, columns)."""
    flat = [int(n) for n in values.shape[:-1]]
    count = int(np.prod(flat))
    chosen = np.unique(np.linspace(0, count - 1, min(count, _ROWS)).round().astype(int))
    if isinstance(values, np.ndarray):
        return np.asarray(values.reshape(count, -1)[chosen], np.float64)
    middle = np.asarray(values[tuple(n // 2 for n in flat[:-1])], np.float64)
    return middle.reshape(-1, values.shape[-1])
