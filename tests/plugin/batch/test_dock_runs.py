"""The batch dock in a window: run, pause, cancel, continue, close."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import (
    QApplication,
)

from src_core.augment.run_folder import read_index
from tests.support.batches import names
from tests.support.windows import wait


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


def test_cancel_keeps_what_is_whole_and_start_resumes(window, held, tmp_path: Path) -> None:
    _, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    dock.cancel.click()
    assert "Stopping" in dock.status.text()
    held.set()
    wait(lambda: not dock.busy)
    assert dock.status.text().startswith("Cancelled: Start continues")
    assert names(tmp_path / "out") == ["a-001"] and len(read_index(tmp_path / "out")) == 1
    wait(lambda: "1 of them is in this folder: Start continues" in dock.outlook.text())
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "3 made, 1 already there"
    assert len(read_index(tmp_path / "out")) == 4
    wait(lambda: "All of them are in this folder" in dock.outlook.text())


def test_pause_waits_and_resume_continues(window, held, tmp_path: Path) -> None:
    _, dock = window()
    dock.start.click()
    wait(lambda: dock.progress.value() == 1)
    dock.pause.click()
    held.set()
    wait(lambda: dock.progress.text().endswith("paused"))
    assert dock.status.text() == "Paused"
    stood = dock.progress.value(), names(tmp_path / "out")
    until = time.monotonic() + 0.5
    wait(lambda: time.monotonic() > until)
    assert (dock.progress.value(), names(tmp_path / "out")) == stood and stood[0] < 4
    assert dock.pause.text() == "Resume"
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


def test_failures_are_reported_once_and_stop_nothing(window, data: Path) -> None:
    (data / "images" / "ab.nii.gz").write_text("no image")
    _, dock = window()
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "4 made, 2 failed"
    lines = dock.log.toPlainText().splitlines()
    assert lines[0] == "1 of 3 cases have no labels"
    assert len(lines) == 2 and lines[1].startswith("ab: this is not a NIfTI file")
    assert dock.log.isVisibleTo(dock)


def test_filters_turn_down_and_say_why(window, tmp_path: Path, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(
        "napari_drdm.batch.dock.QDesktopServices.openUrl",
        lambda url: opened.append(url.toLocalFile()),
    )
    _, dock = window()
    dock.fields.per_case.setValue(1)
    dock.filters.controls["min_mm"].widget.setValue(9999)
    dock.filters.controls["retries"].widget.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "2 rejected\nSeeds rejected: moves too little 4"
    assert dock.summary.isVisibleTo(dock) and not dock.open.isVisibleTo(dock)
    dock.summary.click()
    assert opened == [str(tmp_path / "out" / "summary.html")] and Path(opened[0]).is_file()
    assert not dock.log.isVisibleTo(dock)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core only")
def test_several_workers_make_the_same_and_can_be_paused_and_cancelled(window, tmp_path) -> None:
    _, dock = window()
    dock.more.controls["workers"].widget.setValue(2)
    dock.fields.per_case.setValue(6)
    dock.start.click()
    wait(lambda: dock.progress.value() >= 1, 120)
    dock.pause.click()
    assert dock.status.text() == "Pausing after the current cases…"
    wait(lambda: dock.progress.text().endswith("paused"))
    assert dock.status.text() == "Paused; workers still finish their cases"
    stood, until = dock.progress.value(), time.monotonic() + 1
    wait(lambda: time.monotonic() > until)
    assert dock.progress.value() == stood < 12
    dock.cancel.click()
    wait(lambda: not dock.busy)
    assert dock.status.text().startswith("Cancelled: Start continues. ")
    some = {
        n: (tmp_path / "out" / "cases" / n / "image.nii.gz").read_bytes()
        for n in names(tmp_path / "out")
    }
    assert stood <= len(some) < 12
    dock.more.controls["workers"].widget.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.progress.text() == "12 of 12"
    dock.fields.out.setText(str(tmp_path / "alone"))
    dock.start.click()
    wait(lambda: not dock.busy)
    for name, made in some.items():
        assert (tmp_path / "alone" / "cases" / name / "image.nii.gz").read_bytes() == made
