"""What the explorer remembers from one session to the next."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtCore", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QSettings

from napari_drdm import settings
from napari_drdm.settings import Remembered, load_settings, save_settings

ALL = Remembered(
    level=31,
    seed=2**31 - 1,
    steps=4,
    slices="each",
    variety=0.5,
    guide=3,
    live=False,
    shown=frozenset({"arrows", "Jacobian"}),
    style={"density": 0.5, "length": 3, "goes": True, "name, with; \"quotes\" = @é": "x\\n"},
    export_folder="C:\\My scans, new\\ü 100%",
    device="cuda:1",
    model="cardiac-sax",
    memory=300,
    offer_results=True,
)  # fmt: skip


@pytest.fixture
def file(tmp_path) -> Path:
    """Where every test keeps settings."""
    path = settings.settings_file()
    assert path.is_relative_to(tmp_path)
    return path


def test_what_is_saved_comes_back(file):
    assert load_settings(Remembered) == Remembered() and not file.parent.exists()
    assert save_settings(ALL)
    assert load_settings(Remembered) == ALL
    assert all(ALL.model_dump()[name] != value for name, value in Remembered().model_dump().items()
               if name != "version")  # fmt: skip
    assert [f.name for f in file.parent.iterdir()] == ["explorer.ini"]


def write(file: Path, json: str) -> None:
    file.parent.mkdir(exist_ok=True)
    stored = QSettings(str(file), QSettings.Format.IniFormat)
    stored.setValue("explorer", json)
    stored.sync()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe[", b"[General]\nexplorer=", b"]]]\n%%%%", b"explorer=1, 2"]
)
def test_a_broken_file_is_ignored_and_mended(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    assert load_settings(Remembered) == Remembered()
    save_settings(ALL)
    assert load_settings(Remembered) == ALL


@pytest.mark.parametrize(
    "text", ["{", "[]", "1", "null", '{"level": 3}', '{"version": 2, "level": 3}', '"text"']
)
def test_what_is_not_of_this_version_is_ignored(file, text):
    write(file, text)
    assert load_settings(Remembered) == Remembered()


def test_an_impossible_value_costs_itself_alone(file):
    write(file, '{"version": 1, "level": -4, "seed": "x", "steps": 5, "later": 1, "shown": [3]}')
    assert load_settings(Remembered) == Remembered(steps=5)


def test_a_place_that_cannot_be_written_is_no_error(file, tmp_path):
    (tmp_path / "config").write_text("a file")
    assert save_settings(ALL) is False and load_settings(Remembered) == Remembered()


def test_the_file_lies_where_the_platform_keeps_settings(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings.settings_file().parent.name == "napari-drdm"
    if sys.platform == "linux":
        assert settings.settings_file() == tmp_path / "napari-drdm" / "explorer.ini"
