"""nnU-Net's folders, in one that a test has for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.nnunet_commands import environment


@pytest.fixture
def nnunet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of nnU-Net's, and of the bank of which every patch is deformed."""
    for name, value in {**environment(tmp_path), "nnUNet_n_proc_DA": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DRDM_BANK", str(tmp_path / "bank"))
    monkeypatch.setenv("DRDM_PROBABILITY", "1")
    return tmp_path
