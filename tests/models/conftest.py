"""A small model as a file, and an empty folder of the user's models."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.models.checkpoint import save_model
from tests.support.small_model import network, spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_model(tmp_path / "small.safetensors", spec(), network())


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's models."""
    folder = tmp_path / "user" / "models"
    monkeypatch.setattr("src_core.models.library.user_folder", lambda: folder)
    return folder
