"""What tests of the tasks share."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def within_half_a_minute() -> Iterator[None]:
    """A test of 30 s on one processor at most; what else the machine does is not counted."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 30
