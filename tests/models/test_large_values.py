"""Stored values beyond float32's exact whole numbers keep their contrast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.models.preprocessing import Preprocessing

STORED = np.random.default_rng(0).integers(0, 1000, (12, 9, 5))


def unit(data: Any) -> Any:
    return Preprocessing().unit_range(Case.from_arrays(data).images[0])


@pytest.mark.parametrize("offset", [10**8, 10**12])
def test_an_offset_changes_nothing(offset: int) -> None:
    assert np.abs(unit(STORED + offset) - unit(STORED)).max() < 1e-6
    assert unit(STORED + offset).dtype == np.float32


def test_unsigned_values_near_the_largest() -> None:
    data = STORED.astype(np.uint64) * 2**20 + 2**63
    assert np.abs(unit(data) - unit(STORED)).max() < 1e-4


def test_values_beyond_float32() -> None:
    assert np.abs(unit(STORED * 1e300) - unit(STORED)).max() < 1e-6
