"""One phantom in full, read only."""

from __future__ import annotations

import pytest

from src_core.phantom import Phantom, cardiac_phantom


@pytest.fixture(scope="session")
def cine() -> Phantom:
    return cardiac_phantom(3)
