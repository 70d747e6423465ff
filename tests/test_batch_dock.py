"""The batch dock in a window: run, pause, cancel, go on, close, and what it says."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import torch
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import QApplication, QComboBox, QPushButton, QSpinBox

from napari_drdm.batching import Ended, Gate, Update, in_time, outlook, run_batch
from src_core import library
from src_core.augment import Request, work
from src_core.augment.index import read_index
from src_core.checkpoint import save_model
from src_core.model import ModelSpec
from src_core.nn import build

SPEC = {
    "name": "tiny", "size": 64,
    "schedule": {"control": 32, "components": (32, 16, 8), "levels": 76},
    "network": {"kind": "velocity-unet", "stem": 4, "widths": (8, 8), "output_stage": 0,
                "middle": 1, "heads": 1, "embedding": 8, "groups": 2},
    "recovery": {"steps": 4},
}  # fmt: skip


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one small model; nothing ships."""
    folder = tmp_path / "models"
    folder.mkdir()
    spec = ModelSpec.model_validate(SPEC)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_model(folder / "tiny.safetensors", spec, build(spec.network))
    monkeypatch.setattr(library, "user_folder", lambda: folder)
    monkeypatch.setattr(library, "_shipped_folder", lambda: tmp_path / "none")
    return folder / "tiny.safetensors"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, size in (("a", 8), ("b", 11)):
        labels = np.zeros((34, 46, 2), np.uint8)
        labels[10 : 10 + size, 12 : 12 + size] = 1
        image = (60 * labels + np.random.default_rng(size).integers(0, 30, labels.shape)).astype(
            "i2"
        )
        for kind, values in (("images", image), ("labels", labels)):
            (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
            file = tmp_path / "set" / kind / f"{name}.nii.gz"
            nib.save(nib.Nifti1Image(values, np.diag([-1.5, -1.2, 8, 1])), file)
    return tmp_path / "set"


@pytest.fixture
def window(make_napari_viewer_proxy, data: Path, tmp_path: Path):
    """A viewer with the dock, filled in for four new cases."""

    def opened():
        viewer = make_napari_viewer_proxy()
        _, dock = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
        wait(lambda: dock.fields.model.value() is not None)
        dock.fields.dataset.setText(str(data))
        dock.fields.out.setText(str(tmp_path / "out"))
        dock.fields.per_case.setValue(2)
        return viewer, dock

    yield opened
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The second new case and those after it wait until this is set."""
    opened, real, calls = threading.Event(), work.iterate, []

    def slow(*given):
        calls.append(given)
        if len(calls) > 1:
            assert opened.wait(30)
        return real(*given)

    monkeypatch.setattr(work, "iterate", slow)
    return opened


def wait(ready, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)
    assert ready()


def names(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "cases").iterdir())


def test_a_run_makes_a_data_set_and_shows_its_sheet(window, tmp_path: Path) -> None:
    viewer, dock = window()
    wait(lambda: dock.outlook.text().startswith("4 new cases of 2, at most "))
    dock.start.click()
    assert not dock.fields.isEnabled() and dock.cancel.isEnabled()
    wait(lambda: not dock.busy)
    assert names(tmp_path / "out") == ["a-001", "a-002", "b-001", "b-002"]
    assert dock.status.text() == "4 made" and dock.progress.text() == "4 of 4"
    assert dock.sheet.pixmap().width() > 100 and dock.fields.isEnabled()
    dock.open.click()
    assert viewer.layers[-1].rgb and viewer.layers[-1].data.shape[1] > 300


def test_cancel_keeps_what_is_whole_and_start_goes_on(window, held, tmp_path: Path) -> None:
    _, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    dock.cancel.click()
    assert "Stopping" in dock.status.text()
    held.set()
    wait(lambda: not dock.busy)
    assert dock.status.text().startswith("Cancelled: start goes on")
    assert names(tmp_path / "out") == ["a-001"] and len(read_index(tmp_path / "out")) == 1
    wait(lambda: "1 of them is in this folder: Start goes on" in dock.outlook.text())
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "3 made, 1 from before"
    assert len(read_index(tmp_path / "out")) == 4
    wait(lambda: "All of them are in this folder" in dock.outlook.text())


def test_pause_waits_and_goes_on(window, held, tmp_path: Path) -> None:
    _, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    dock.pause.click()
    held.set()
    wait(lambda: dock.progress.text().endswith("paused"))
    stood = dock.progress.value(), names(tmp_path / "out")
    until = time.monotonic() + 0.5
    wait(lambda: time.monotonic() > until)
    assert (dock.progress.value(), names(tmp_path / "out")) == stood and stood[0] < 4
    assert dock.pause.text() == "Go on"
    dock.pause.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "4 made" and dock.pause.text() == "Pause"


def test_cancel_while_paused_ends_the_run(window, held) -> None:
    _, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    dock.pause.click()
    held.set()
    wait(lambda: dock.progress.text().endswith("paused"))
    dock.cancel.click()
    wait(lambda: not dock.busy)
    assert dock.status.text().startswith("Cancelled")


def test_closing_the_dock_leaves_whole_cases(window, held, tmp_path: Path) -> None:
    viewer, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    QApplication.sendPostedEvents(dock, QEvent.Type.DeferredDelete.value)
    held.set()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    assert names(tmp_path / "out") == ["a-001"]
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_closing_the_window_leaves_whole_cases(window, held, tmp_path: Path) -> None:
    viewer, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    threading.Timer(0.3, held.set).start()
    viewer.close()
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    assert names(tmp_path / "out")[0] == "a-001" and len(names(tmp_path / "out")) < 4
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_failures_are_told_once_and_stop_nothing(window, data: Path) -> None:
    (data / "images" / "ab.nii.gz").write_text("no image")
    _, dock = window()
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "4 made, 2 failed"
    lines = dock.log.toPlainText().splitlines()
    assert lines[0] == "1 of 3 cases have no labels"
    assert len(lines) == 2 and lines[1].startswith("ab: this is not a NIfTI file")
    assert dock.log.isVisibleTo(dock)


def test_what_is_wrong_is_said_before_and_at_start(window, tmp_path: Path, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr("napari_drdm.widgets.batch.show_error", shown.append)
    _, dock = window()
    dock.fields.dataset.setText(str(tmp_path / "nowhere"))
    wait(lambda: dock.outlook.text().startswith("no such data set"))
    dock.start.click()
    wait(lambda: not dock.busy)
    assert shown[-1].startswith("no such data set") and dock.status.text() == shown[-1]
    dock.fields.dataset.setText("")
    dock.start.click()
    assert shown[-1] == "choose a data set first" and not dock.busy
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    dock.fields.dataset.setText(str(tmp_path / "set"))
    dock.start.click()
    wait(lambda: not dock.busy)
    assert shown[-1].startswith("the folder is not empty")


def test_levels_follow_the_model_and_each_other(window) -> None:
    _, dock = window()
    assert dock.fields.highest.maximum() == 76
    dock.fields.lowest.setValue(74)
    assert dock.fields.values()["levels"] == (74, 74)
    dock.fields.highest.setValue(20)
    assert dock.fields.values()["levels"] == (20, 20)


def test_every_control_has_a_tooltip(window) -> None:
    _, dock = window()
    for kind in (QPushButton, QSpinBox, QComboBox):
        for control in dock.findChildren(kind):
            assert control.toolTip(), control
    assert all(w.toolTip() for w in (dock.fields.dataset, dock.fields.out, dock.progress, dock.log))


def test_the_dock_and_the_shell_make_the_same_bits(model: Path, data: Path, tmp_path: Path) -> None:
    from src_core.cli import run

    request = Request(data, tmp_path / "out", per_case=1, levels=(30, 50), formats=("nifti",))
    assert finish(run_batch(request, model, Gate()))[1] == Ended(
        2, 0, 0, False, tmp_path / "out" / "contact-sheet.png"
    )
    words = ["--per-case", "1", "--levels", "30:50", "--format", "nifti", "--model", str(model)]
    assert run(["augment", str(data), "--out", str(tmp_path / "shell"), *words]) == 0
    for made in sorted((tmp_path / "out" / "images").iterdir()):
        assert made.read_bytes() == (tmp_path / "shell" / "images" / made.name).read_bytes()


def finish(going) -> tuple[list[Update], Ended]:
    updates = []
    while True:
        try:
            updates.append(next(going))
        except StopIteration as end:
            return updates, end.value


def test_time_left_falls_to_nothing(model: Path, data: Path, tmp_path: Path) -> None:
    updates, _ = finish(run_batch(Request(data, tmp_path / "o", per_case=2), model, Gate()))
    known = [u.seconds_left for u in updates if u.seconds_left is not None]
    assert known[-1] == 0 and known[0] > 0
    assert [u.done for u in updates] == sorted(u.done for u in updates)


def test_what_would_be_made(model: Path, data: Path, tmp_path: Path) -> None:
    found = outlook(Request(data, tmp_path / "o", per_case=3), model)
    assert found.text.startswith("6 new cases of 2, at most 582 kB, ")
    assert found.notes == ()
    assert [in_time(s) for s in (0.2, 40, 200, 7800)] == ["1 s", "40 s", "3 min", "2 h 10 min"]


def test_docks_of_ours_share_one_place(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    docks = [
        viewer.window.add_plugin_dock_widget("napari-drdm", name)[0]
        for name in ("Deformation explorer", "Batch augmentation")
    ]
    window = docks[0].parent()
    wait(lambda: docks[0] in window.tabifiedDockWidgets(docks[1]))
