"""What the batch dock reports before and at the start of a run."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QThreadPool

from napari_drdm.batch import dock as batch
from src_core.errors import InputError
from tests.support.windows import wait


def test_what_is_wrong_is_reported_before_and_at_start(window, tmp_path: Path, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr("napari_drdm.batch.dock.show_error", shown.append)
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
    wait(lambda: dock.outlook.text().startswith("the folder is not empty"))


def test_start_waits_for_the_models_and_says_so(
    make_napari_viewer_proxy, monkeypatch, data: Path, tmp_path: Path
) -> None:
    shown, read, real = [], threading.Event(), batch._models
    monkeypatch.setattr(batch, "show_error", shown.append)
    monkeypatch.setattr(batch, "_models", lambda: real() if read.wait(30) else None)
    viewer = make_napari_viewer_proxy()
    _, dock = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
    dock.fields.dataset.setText(str(data))
    dock.fields.out.setText(str(tmp_path / "out"))
    dock._look_ahead()
    assert not dock.start.isEnabled()
    assert "models are still being read" in dock.start.toolTip()
    assert dock.outlook.text() == dock.start.toolTip()
    dock.start.click()
    dock.run()
    assert not dock.busy and not shown
    read.set()
    wait(dock.start.isEnabled)
    assert dock.start.toolTip().startswith("Make the new cases")
    wait(lambda: "new cases of 2" in dock.outlook.text())
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def test_models_that_cannot_be_read_are_reported_at_start(
    make_napari_viewer_proxy, monkeypatch
) -> None:
    def broken():
        raise InputError("the folder of models cannot be read")

    shown = []
    monkeypatch.setattr(batch, "show_error", shown.append)
    monkeypatch.setattr(batch, "_models", broken)
    viewer = make_napari_viewer_proxy()
    _, dock = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
    wait(lambda: bool(shown))
    assert not dock.start.isEnabled() and shown[0] in dock.start.toolTip()


def test_the_folder_of_another_run_is_reported_before_start(
    window, data: Path, tmp_path: Path
) -> None:
    _, dock = window()
    dock.fields.per_case.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    other = tmp_path / "other"
    shutil.copytree(data, other)
    dock.fields.dataset.setText(str(other))
    wait(lambda: "differs in Data set: choose another folder" in dock.outlook.text())
    assert "Start continues" not in dock.outlook.text() and "new cases" not in dock.outlook.text()
    dock.fields.dataset.setText(str(data))
    wait(lambda: "All of them are in this folder" in dock.outlook.text())
