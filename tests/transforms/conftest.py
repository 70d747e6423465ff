"""A folder that keeps the small models of this session."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.transforms import Live
from tests.support.loops import live


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def maker(folder: Path) -> Live:
    return live(folder)
