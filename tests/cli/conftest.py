"""A small image and its labels as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shell_files import rings, volume, write


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write(tmp_path / "case.nii.gz", volume())


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(tmp_path / "seg.nii.gz", rings())
