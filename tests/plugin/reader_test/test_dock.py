"""The dock: a test made on the spot, read, and its results; folders that are wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from src_core.errors.options import option_field
from src_core.tasks.reader.options import ReaderRequest
from tests.support.files import bytes_of, rows_of
from tests.support.paths import ROOT
from tests.support.reader_tests import answer_all, save_rings
from tests.support.windows import wait

CLICK = Qt.MouseButton.LeftButton


def write(line: Any, text: str) -> None:
    line.selectAll()
    QTest.keyClicks(line, text)


def fill(dock: Any, folder: Path, reader: str = "R1") -> None:
    write(dock.folder, str(folder))
    write(dock.reader, reader)
    wait(lambda: not dock._rest.isActive())


def test_it_is_in_the_menu():
    import yaml

    manifest = yaml.safe_load((ROOT / "napari.yaml").read_text(encoding="utf-8"))["contributions"]
    assert {"command": "napari-drdm.reader_test", "display_name": "Reader test"} in manifest[
        "widgets"
    ]
    command = next(c for c in manifest["commands"] if c["id"] == "napari-drdm.reader_test")
    assert command["python_name"] == "napari_drdm.reader_test.dock:ReaderTest"


def test_a_test_is_made_on_the_spot_read_and_reported(dock, tmp_path):
    data, out = save_rings(tmp_path / "rings", 4), tmp_path / "test"
    assert not dock.prepare.isEnabled() and not dock.start.isEnabled()
    fill(dock, out)
    write(dock.fields.real, str(data))
    dock.fields.controls["questions"].widget.setValue(1)
    dock.fields.controls["size"].widget.setValue(64)
    QTest.mouseClick(dock.prepare, CLICK)
    assert dock.busy and not dock.prepare.isEnabled()
    wait(lambda: not dock.busy)
    assert dock.status.text() == "" and dock.about.text().startswith("2 questions, pairs.")
    QTest.mouseClick(dock.start, CLICK)
    window = dock.window_of_reader
    QTest.mouseClick(dock.start, CLICK)
    assert dock.window_of_reader is window  # one at a time
    for _ in range(2):
        for key in (Qt.Key.Key_Space, Qt.Key.Key_Left):
            QTest.keyClick(window, key)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert len(rows_of(out / "answers" / "R1.csv")) == 2
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert dock.window_of_reader is None
    QTest.mouseClick(dock.report, CLICK)
    wait(lambda: dock.results is not None)
    text = dock.results.text.toPlainText()
    assert "found the real one" in text and "R1" in text
    assert rows_of(out / "results.csv") == rows_of(out / "answers" / "R1.csv")
    assert len(dock._viewer.layers) == 0 and dock._viewer.title == "napari"
    QTest.mouseClick(dock.start, CLICK)
    assert not dock.results.isVisible()  # a reader sees no results
    dock.window_of_reader.close()


def test_a_stopped_preparation_is_continued(dock, tmp_path):
    data, out = save_rings(tmp_path / "rings", 4), tmp_path / "test"
    fill(dock, out)
    write(dock.fields.real, str(data))
    dock.fields.controls["questions"].widget.setValue(30)
    QTest.mouseClick(dock.prepare, CLICK)
    wait(lambda: dock.progress.value() > 0)
    QTest.mouseClick(dock.cancel, CLICK)
    wait(lambda: not dock.busy)
    made = bytes_of(out / "pictures")
    assert 0 < len(made) < 120 and "Prepare continues" in dock.status.text()
    dock.fields.controls["questions"].widget.setValue(31)
    QTest.mouseClick(dock.prepare, CLICK)
    wait(lambda: not dock.busy)
    assert "another model, data set or options" in dock.status.text()
    assert bytes_of(out / "pictures") == made


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "pictures" / "001a.png").unlink(), "picture is missing"),
        (lambda folder: (folder / "plan.json").write_text("{"), "plan cannot be read"),
    ],
)
def test_a_folder_that_is_wrong_is_named(dock, pairs, spoil, message):
    spoil(pairs)
    fill(dock, pairs)
    assert message in dock.about.text() and not dock.start.isEnabled()


def test_results_need_the_key_and_reading_does_not(dock, pairs):
    shutil.rmtree(pairs / "key")
    fill(dock, pairs)
    QTest.mouseClick(dock.report, CLICK)
    wait(lambda: "key of the test is missing" in dock.status.text())
    answer_all(pairs, "R1", lambda r: "left")
    dock.look()
    assert "Answered: R1 4." in dock.about.text()
    QTest.mouseClick(dock.start, CLICK)
    assert "All 4" in dock.window_of_reader.message.text()
    dock.window_of_reader.close()


def test_what_is_missing_is_asked_for(dock, tmp_path):
    fill(dock, tmp_path / "test")
    QTest.mouseClick(dock.prepare, CLICK)
    assert dock.status.text() == "choose real images first" and not dock.busy


def test_controls_are_what_their_fields_say(dock):
    for name, control in dock.fields.controls.items():
        option = option_field(ReaderRequest, name)
        assert option.help in control.widget.toolTip()
        assert control.value() == option.default
    values = dock.fields.values()
    assert values["kinds"] == ("generated", "elastic") and values["model"].endswith(".safetensors")
