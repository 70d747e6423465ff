"""What every test gets: its tier, a screen, the data beside the checkout, and no network."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import screen, tiers
from tests.support.paths import ROOT

# The tests run on every core, each on one thread; read when torch and NumPy are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    worker = hasattr(config, "workerinput")
    if worker or not getattr(config.option, "numprocesses", None):
        screen.open_screen(own=worker and not os.environ.get("DRDM_SHOW"))


def pytest_unconfigure() -> None:
    screen.close_screen()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tiers.mark(item)
    windows = [item for item in items if item.get_closest_marker("window")]
    if windows and not screen.has_screen():
        screen.check_missing()
        for item in windows:
            item.add_marker(pytest.mark.skip(reason="no screen: install Xvfb"))


def pytest_collection_finish() -> None:
    # What the modules hold is looked at by no garbage collection from here on; a viewer asks for
    # several of a third of a second each.
    gc.collect()
    gc.freeze()


def _data_root() -> Path:
    beside = ROOT.parent / "shared" / "data"
    return Path(os.environ.get("NAPARI_DRDM_DATA") or beside)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        pytest.skip(f"no folder {path}: set NAPARI_DRDM_DATA to the development data")
    return path


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The development data: ``$NAPARI_DRDM_DATA``, else ``../shared/data`` beside the checkout."""
    return _folder(_data_root())


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Arrays and weights of the published release: the folder ``reference`` beside the data."""
    return _folder(_data_root().parent / "reference")


def _is_local(address: Any) -> bool:
    host = address[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address):
            raise OSError(f"a test may not reach the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what a window remembers out of the user's own configuration."""
    from napari_drdm import settings as remembered

    monkeypatch.setattr(remembered, "settings_file", lambda: tmp_path / "config" / "explorer.ini")


@pytest.fixture
def tiny_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    from tests.support import tiny

    tiny.save(tmp_path / "models", mm_per_pixel=(3.0, 6.0), recovery={"steps": 4})
    tiny.only_models_of(tmp_path / "models", monkeypatch)
    return tmp_path / "models"
