"""What every test may ask for: the data beside the checkout, one hypothesis profile, no network."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


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
