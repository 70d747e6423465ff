"""A small model of the user's, which tasks find by its name."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tiny_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    from src_core.models import library
    from src_core.models.checkpoint import save_model
    from tests.support import tiny

    folder = tmp_path / "models"
    folder.mkdir()
    model = tiny.model()
    save_model(folder / "tiny.safetensors", model.spec, model.network)
    monkeypatch.setattr(library, "user_folder", lambda: folder)
    monkeypatch.setattr(library, "_shipped_folder", lambda: tmp_path / "none")
    return folder
