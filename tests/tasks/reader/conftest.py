"""A data set of rings, a small model, and a test of both kinds made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.reader_tests import prepare, save_rings


@pytest.fixture(scope="session")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_rings(tmp_path_factory.mktemp("rings"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def pairs(rings: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three questions of each kind."""
    out = tmp_path_factory.mktemp("pairs") / "test"
    assert prepare(rings, model, out) == 0
    return out


@pytest.fixture(scope="session")
def singles(rings: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images of each kind, to be scored."""
    out = tmp_path_factory.mktemp("singles") / "test"
    assert prepare(rings, model, out, "--mode", "score") == 0
    return out
