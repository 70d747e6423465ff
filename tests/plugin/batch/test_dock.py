"""The batch dock in a window: run, pause, cancel, go on, close, and what it says."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.spawn import get_preparation_data
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import torch
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
)

from napari_drdm.batch import dock as batch
from napari_drdm.batch.outlook import outlook
from napari_drdm.batch.run import Ended, Gate, Update, in_time, run_batch
from napari_drdm.batch.spawning import script_left_alone
from src_core.augment import Filters, Request
from src_core.augment import products as kinds
from src_core.augment.run_folder import read_index
from src_core.errors import InputError
from src_core.models import library
from src_core.models.checkpoint import save_model
from src_core.models.model import ModelSpec
from src_core.models.nn import build

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
    opened, real, calls = threading.Event(), kinds.iterate, []

    def slow(*given):
        calls.append(given)
        if len(calls) > 1:
            assert opened.wait(30)
        return real(*given)

    monkeypatch.setattr(kinds, "iterate", slow)
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
    assert dock.status.text().startswith("Cancelled: Start goes on")
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
    assert dock.status.text() == "Paused"
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


def test_models_that_cannot_be_read_are_told_at_start(
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


def test_the_folder_of_another_run_is_told_before_start(window, data: Path, tmp_path: Path) -> None:
    _, dock = window()
    dock.fields.per_case.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    other = tmp_path / "other"
    shutil.copytree(data, other)
    dock.fields.dataset.setText(str(other))
    wait(lambda: "differs in Data set: choose another folder" in dock.outlook.text())
    assert "Start goes on" not in dock.outlook.text() and "new cases" not in dock.outlook.text()
    dock.fields.dataset.setText(str(data))
    wait(lambda: "All of them are in this folder" in dock.outlook.text())


def test_levels_are_a_range_a_list_or_a_bell(window) -> None:
    _, dock = window()
    for text, levels in (
        ("12", (12, 12)),
        ("30:70", (30, 70)),
        ("30, 45=2, 60", {30: 1, 45: 2, 60: 1}),
    ):
        dock.fields.levels.setText(text)
        assert dock._request().levels == levels
    dock.fields.levels.setText("50~6")
    assert max(dock._request().levels, key=dock._request().levels.get) == 50
    dock.fields.levels.setText("70:30")
    wait(
        lambda: (
            dock.outlook.text()
            == "70:30 is not possible, Levels, expected lowest:highest, such as 30:70"
        )
    )
    dock.fields.levels.setText("30:77")
    wait(lambda: dock.outlook.text().startswith("level 77 does not exist, Level, expected 0"))


def fill(dock, tmp_path: Path) -> dict:
    """Every field at something else than its default; what the dock then says."""
    dock.fields.levels.setText("20,30=2")
    dock.fields.seed.setValue(7)
    for name in ("nifti", "nnunet"):
        dock.fields.layouts[name].setChecked(True)
    dock.fields.layouts["cases"].setChecked(False)
    dock.fields.number.setValue(321)
    dock.filters.min_mm.setValue(0.5)
    dock.filters.max_mm.setValue(40)
    dock.filters.max_volume_change.setValue(80)
    dock.filters.keep_labels.setChecked(True)
    dock.filters.keep_whole.setChecked(True)
    dock.filters.retries.setValue(3)
    dock.more.choices["field_format"].setCurrentText("FSL")
    dock.more.choices["slices"].setCurrentText("one each")
    dock.more.choices["label_interpolation"].setCurrentText("nearest")
    dock.more.steps.setValue(3)
    dock.more.with_sources.setChecked(True)
    dock.more.workers.setValue(min(2, dock.more.workers.maximum()))
    dock.more.device.setCurrentIndex(dock.more.device.findData("cpu"))
    return dock.values()


def test_every_field_reaches_the_request(window, data: Path, tmp_path: Path) -> None:
    _, dock = window()
    fill(dock, tmp_path)
    options = {"steps": 3, "slices": "each", "interpolation": "linear"}
    assert dock._request() == Request(
        data,
        tmp_path / "out",
        per_case=2,
        levels={20: 1, 30: 2},
        seed=7,
        formats=("nifti", "nnunet"),
        options={**options, "label_interpolation": "nearest"},
        field_format="fsl",
        filters=Filters(0.5, 40, 80, True, True, 3),
        with_sources=True,
        number=321,
        workers=dock.more.workers.value(),
    )


def test_what_was_chosen_is_there_again(window, tmp_path: Path) -> None:
    viewer, dock = window()
    wanted = fill(dock, tmp_path)
    dock.fields.dataset.setText(str(tmp_path / "nowhere"))
    wanted["dataset"] = tmp_path / "nowhere"
    dock.start.click()
    wait(lambda: not dock.busy)
    viewer.window.remove_dock_widget(dock)
    _, again = viewer.window.add_plugin_dock_widget("napari-drdm", "Batch augmentation")
    wait(lambda: again.fields.model.value() is not None)
    assert again is not dock and again.values() == wanted
    assert again.wanted.opened and not again.rest.opened and again.fields.number.isEnabled()


def test_filters_turn_down_and_say_why(window, tmp_path: Path, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(
        "napari_drdm.batch.dock.QDesktopServices.openUrl",
        lambda url: opened.append(url.toLocalFile()),
    )
    _, dock = window()
    dock.fields.per_case.setValue(1)
    dock.filters.min_mm.setValue(9999)
    dock.filters.retries.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "2 turned down\nSeeds turned down: moves too little 4"
    assert dock.summary.isVisibleTo(dock) and not dock.open.isVisibleTo(dock)
    dock.summary.click()
    assert opened == [str(tmp_path / "out" / "summary.html")] and Path(opened[0]).is_file()
    assert not dock.log.isVisibleTo(dock)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core only")
def test_several_workers_make_the_same_and_can_be_paused_and_cancelled(window, tmp_path) -> None:
    _, dock = window()
    dock.more.workers.setValue(2)
    dock.fields.per_case.setValue(6)
    dock.start.click()
    wait(lambda: dock.progress.value() >= 1, 120)
    dock.pause.click()
    assert dock.status.text() == "Pausing after the present cases…"
    wait(lambda: dock.progress.text().endswith("paused"))
    assert dock.status.text() == "Paused; workers still end the cases they have"
    stood, until = dock.progress.value(), time.monotonic() + 1
    wait(lambda: time.monotonic() > until)
    assert dock.progress.value() == stood < 12
    dock.cancel.click()
    wait(lambda: not dock.busy)
    assert dock.status.text().startswith("Cancelled: Start goes on. ")
    some = {
        n: (tmp_path / "out" / "cases" / n / "image.nii.gz").read_bytes()
        for n in names(tmp_path / "out")
    }
    assert stood <= len(some) < 12
    dock.more.workers.setValue(1)
    dock.start.click()
    wait(lambda: not dock.busy)
    assert dock.progress.text() == "12 of 12"
    dock.fields.out.setText(str(tmp_path / "alone"))
    dock.start.click()
    wait(lambda: not dock.busy)
    for name, made in some.items():
        assert (tmp_path / "alone" / "cases" / name / "image.nii.gz").read_bytes() == made


def test_every_control_has_a_tooltip(window) -> None:
    _, dock = window()
    for kind in (QPushButton, QAbstractSpinBox, QComboBox, QCheckBox, QLineEdit):
        for control in dock.findChildren(kind):
            inside = isinstance(control.parent(), QAbstractSpinBox)
            assert inside or control.toolTip(), control
    assert dock.progress.toolTip() and dock.log.toolTip()


def test_the_dock_and_the_shell_make_the_same_bits(model: Path, data: Path, tmp_path: Path) -> None:
    from src_core.cli import run

    request = Request(data, tmp_path / "out", per_case=1, levels=(30, 50), formats=("nifti",))
    out = tmp_path / "out"
    assert finish(run_batch(request, model, Gate()))[1] == Ended(
        made=2, sheet=out / "contact-sheet.png", summary=out / "summary.html"
    )
    words = ["--per-case", "1", "--levels", "30:50", "--format", "nifti", "--model", str(model)]
    assert run(["augment", str(data), "--out", str(tmp_path / "shell"), *words]) == 0
    for made in sorted((tmp_path / "out" / "images").iterdir()):
        assert made.read_bytes() == (tmp_path / "shell" / "images" / made.name).read_bytes()


def test_workers_do_not_run_the_script_that_opened_the_window(monkeypatch, tmp_path: Path) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__spec__", None)
    monkeypatch.setattr(main, "__file__", str(tmp_path / "opens_a_window.py"), raising=False)
    assert "init_main_from_path" in get_preparation_data("worker")
    with script_left_alone():
        assert not {"init_main_from_path", "init_main_from_name"} & set(
            get_preparation_data("worker")
        )
    assert main.__file__ == str(tmp_path / "opens_a_window.py")


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


def made(model: Path, request: Request) -> Request:
    """A request done, to go on with."""
    assert not finish(run_batch(request, model, Gate()))[1].error
    return replace(request, resume=True)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"levels": (30, 31)}, "Levels"),
        ({"seed": 9, "spacing": 2.0}, "Seed, Pixel"),
        ({"options": {"steps": 2}}, "More (Slices, Steps, Images, Labels)"),
        ({"formats": ("nifti",), "field_format": "fsl"}, "Layout, Fields for"),
        ({"filters": Filters(max_mm=9)}, "Wanted"),
    ],
)
def test_what_a_run_has_otherwise_is_told(
    model: Path, data: Path, tmp_path: Path, choice: dict, told: str
) -> None:
    other = replace(made(model, Request(data, tmp_path / "o", per_case=1)), **choice)
    words = f"The run in the output folder differs in {told}: choose another folder. Per case, "
    with pytest.raises(InputError) as error:
        outlook(other, model)
    assert str(error.value).startswith(words)
    assert "Workers, Device and 'with the cases themselves' may change" in str(error.value)
    assert finish(run_batch(other, model, Gate()))[1].error == str(error.value)


def test_another_model_is_told_once_and_the_same_goes_on(
    model: Path, data: Path, tmp_path: Path
) -> None:
    request = made(model, Request(data, tmp_path / "o", per_case=1))
    more = replace(request, per_case=3, workers=2, with_sources=True)
    assert outlook(more, model).notes == ("2 of them are in this folder: Start goes on",)
    spec = ModelSpec.model_validate({**SPEC, "name": "other"})
    save_model(tmp_path / "other.safetensors", spec, build(spec.network))
    with pytest.raises(InputError, match="differs in Model: choose another folder"):
        outlook(request, tmp_path / "other.safetensors")
    (tmp_path / "o" / "augment.json").write_text("{")
    with pytest.raises(InputError, match="differs in everything: "):
        outlook(request, model)


def test_what_was_turned_down_is_done(model: Path, data: Path, tmp_path: Path) -> None:
    wanted = Filters(max_mm=0.001)
    asked = Request(data, tmp_path / "o", per_case=1, filters=wanted, with_sources=True)
    request = made(model, asked)
    told = ("All are done: 2 in this folder, 2 turned down",)
    assert outlook(request, model).notes == told
    ended = finish(run_batch(request, model, Gate()))[1]
    assert (ended.made, ended.kept, ended.rejected) == (0, 2, 2)
    more = outlook(replace(request, per_case=2), model).notes
    assert more == ("2 of them are in this folder, 2 turned down: Start goes on",)


@pytest.mark.parametrize(
    ("asked", "told"), [(Gate.end, "Finished: 2 made"), (Gate.pause, "2 made")]
)
def test_what_is_asked_after_the_last_case_finds_it_finished(
    model: Path, data: Path, tmp_path: Path, asked, told: str
) -> None:
    gate = Gate()
    going = run_batch(Request(data, tmp_path / "o", per_case=1), model, gate)
    while next(going).done < 2:
        pass
    asked(gate)
    rest, ended = finish(going)
    assert not rest and ended.left == 0 and ended.text() == told
    assert Ended(made=1, cancelled=True, left=1).text() == "Cancelled: Start goes on. 1 made"


def test_docks_of_ours_share_one_place(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    docks = [
        viewer.window.add_plugin_dock_widget("napari-drdm", name)[0]
        for name in ("Deformation explorer", "Batch augmentation")
    ]
    window = docks[0].parent()
    wait(lambda: docks[0] in window.tabifiedDockWidgets(docks[1]))
