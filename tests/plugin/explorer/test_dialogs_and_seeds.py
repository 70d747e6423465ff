"""Small things a person meets in the window: Esc, long seeds, frames of labels, field formats."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QMessageBox

from napari_drdm.explorer.form import agree
from tests.support.windows import finish, wait


@pytest.fixture
def explorer(window):
    """The explorer with a result."""
    _, made = window()
    wait(lambda: made.sources.model.value() is not None)
    made.options.live.setChecked(False)
    made.generate()
    finish(made)
    return made


def activate(widget) -> None:
    """Without a window manager nobody else does."""
    widget.activateWindow()
    wait(widget.isActiveWindow, 10)


def test_esc_closes_what_is_open_and_ends_no_run(explorer):
    explorer.window().show()
    activate(explorer.window())
    ended = []
    explorer.run_bar.cancel_asked.connect(lambda: ended.append(True))
    explorer.run_bar.set_running(True)
    for ask in (explorer.exporter.ask_export, explorer.exporter.show_card):
        ask()
        activate(explorer.exporter.dialog)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
        assert not explorer.exporter.dialog.isVisible()
    strip = explorer.variants_panel.strip
    strip.item(0).setSelected(True)
    strip.editItem(strip.item(0))
    editor = strip.findChild(QLineEdit)
    editor.setText("another")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert strip.item(0).text() == "L48 S1" and not ended
    activate(explorer.window())
    explorer.options.slider.setFocus()
    QTest.keyClick(explorer.options.slider, Qt.Key.Key_Escape)
    assert ended == [True]


def test_esc_answers_no(explorer):
    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        QTest.keyClick(box, Qt.Key.Key_Escape)

    QTimer.singleShot(200, press)
    assert agree(explorer, "Replace them?") is False


def test_an_export_for_itk_as_mha(explorer, tmp_path):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    explorer.exporter.ask_export()
    dialog = explorer.exporter.dialog
    dialog.folder.setText(str(tmp_path / "new"))
    dialog.format.setCurrentIndex(dialog.format.findData("mha"))
    QTest.mouseClick(
        dialog.buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton
    )
    wait(lambda: explorer.run_bar.status.text().startswith("Exported"))
    field = sitk.ReadImage(str(tmp_path / "new" / "displacement.mha"))
    u = sitk.GetArrayFromImage(field).transpose(2, 1, 0, 3)
    assert np.array_equal(u, explorer._outcome().result.displacement)
    assert json.loads((tmp_path / "new" / "recipe.json").read_text("utf-8"))
    assert not (tmp_path / "new" / "displacement.nii.gz").exists()


def test_long_seeds_are_read_whole(explorer):
    strip = explorer.variants_panel.strip
    before = strip.gridSize().width()
    explorer.options.seed.setValue(2**31 - 1)
    explorer.generate()
    finish(explorer)
    name = strip.item(0).text()
    assert name == f"L48 S{2**31 - 1}"
    assert strip.fontMetrics().horizontalAdvance(name) < strip.visualItemRect(strip.item(0)).width()
    assert strip.gridSize().width() > before
    strip.item(0).setSelected(True)
    explorer.variants_panel.buttons["delete"].click()
    assert strip.gridSize().width() == before


def test_labels_of_one_frame_of_a_cine_are_reported(window):
    viewer, explorer = window((4, 3, 60, 52))
    wait(lambda: explorer.sources.model.value() is not None)
    assert "of one frame" not in explorer.sources.geometry_note.text()
    one = viewer.add_labels(viewer.layers["heart labels"].data[0], scale=(8, 5.6, 5.6))
    explorer.sources.labels.setCurrentIndex(explorer.sources.labels.values().index(one))
    assert explorer.sources.geometry_note.text().endswith(
        "The labels are of one frame and are shown on every frame."
    )
