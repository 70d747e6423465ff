"""A small model, rings of five subjects and an evaluation of them; read only."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from src_core.cli import run
from tests.support.evaluations import QUICK, save_ring
from tests.support.tiny import save_unet


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_unet(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rings")
    for patient, radius in enumerate((6.0, 7.0, 5.0, 8.0, 6.5), start=1):
        save_ring(folder, f"patient{patient}_frame01", radius)
        save_ring(folder, f"patient{patient}_frame12", radius - 1.5)
    with (folder / "cases.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "labels", "split"])
        for path in sorted((folder / "images").iterdir()):
            split = "test" if path.name[7] in "12" else "train"
            writer.writerow([f"images/{path.name}", f"labels/{path.name}", split])
    return folder / "cases.csv"


@pytest.fixture(scope="session")
def done(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done") / "figures"
    assert run(["evaluate", str(model), str(data), "--out", str(out), *QUICK, "--steps", "4"]) == 0
    return out


@pytest.fixture
def undrawn(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than all else here, and are drawn once, by ``done``."""
    monkeypatch.setattr("src_core.evaluation.figures.draw_figures", lambda *_: None)
    monkeypatch.setattr("src_core.evaluation.pictures.draw_pictures", lambda *_: None)
