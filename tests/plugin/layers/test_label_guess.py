"""Label maps opened as images are recognised, intensities are not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_drdm.layers.label_guess import as_labels, looks_like_labels

ROWS, COLUMNS = np.indices((60, 50))
MASK = (ROWS - 30) ** 2 + (COLUMNS - 20) ** 2 < 200
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (MASK, True),
        (255 * MASK.astype(np.uint8), True),
        (2.0 * MASK + (COLUMNS > 40), True),
        (np.stack([MASK, MASK]).astype(np.int16), True),
        (RNG.integers(0, 2, (60, 50)), False),
        (RNG.integers(0, 4000, (60, 50)), False),
        (0.5 * MASK, False),
        (MASK.astype(int) + 1, False),
        (np.zeros((60, 50), np.uint8), False),
        (np.repeat(ROWS[..., None], 3, axis=-1) // 2 * 7.5, False),
        (np.where(MASK, np.nan, 1.0), False),
    ],
)
def test_what_looks_like_labels(values: np.ndarray, labels: bool) -> None:
    assert looks_like_labels(values) is labels


@pytest.mark.parametrize("values", [MASK, 300.0 * MASK, 3 * MASK.astype(np.int16)])
def test_the_numbers_stay(values: np.ndarray) -> None:
    made = as_labels(values)
    assert made.dtype.kind in "iu" and np.array_equal(made, values)
