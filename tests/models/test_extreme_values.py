"""A value far from all others takes up the range of intensities, and a warning says so."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.errors import IntensityWarning
from src_core.models.preprocessing import Preprocessing

LOWEST = float(np.finfo(np.float32).min)
REAL = np.random.default_rng(0).gamma(2.0, 150.0, (40, 32, 5)).astype(np.float32)


def padded(value: float, share: float = 0.25, base: NDArray[Any] = REAL) -> NDArray[Any]:
    """An image whose first rows are one value."""
    data = base.copy()
    data[: round(share * len(data))] = value
    return data


def unit(data: NDArray[Any], settings: Preprocessing | None = None) -> NDArray[np.float32]:
    return (settings or Preprocessing()).unit_range(Case.from_arrays(data, name="scan").images[0])


@pytest.mark.parametrize("value", [LOWEST, -1e30, 1e9, -1e5])
def test_a_padding_far_from_all_other_values_is_named(value: float) -> None:
    with pytest.warns(IntensityWarning, match=r"25 % of the voxels are -?\d.*e\+|-100000") as found:
        result = unit(padded(value))
    assert len(found) == 1 and "background" in str(found[0].message)
    assert "\n" not in str(found[0].message)
    assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 1


@pytest.mark.parametrize(
    "data",
    [
        REAL,
        padded(0.0, 0.75),  # the background of an MR image
        padded(-1024.0, 0.5, REAL - 500),  # CT outside the scanner's circle
        padded(LOWEST, 0.0),
        (REAL > 200).astype(np.float32),  # two values
        np.concatenate([REAL, REAL + 1e6]),  # two groups
        np.where(REAL > 2000, 1e4, REAL),  # a few bright voxels, cut off by the percentiles
    ],
)
def test_ordinary_images_are_not(data: NDArray[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unit(data.astype(np.float32))


def test_what_a_model_leaves_out_by_its_thresholds_is_not_counted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = unit(padded(LOWEST), Preprocessing(below=0.0))
    assert (found[0, :10] == 0).all() and 0.1 < found[0, 10:].mean() < 0.9
