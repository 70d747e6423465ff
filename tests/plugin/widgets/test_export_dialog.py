"""The export dialog, and models dropped on the dock."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.export_dialog import ExportDialog, ExportPlan, free_folder, mismatch
from napari_drdm.widgets.model_drop import ModelDrop
from src_core.io.case_files import PARTS

RECIPE = {
    "options": {"level": 48, "seed": 1, "steps": 8, "slices": "shared"},
    "model": {"name": "cardiac-sax"},
}


@pytest.fixture
def dialog(qtbot, tmp_path):
    """Opens a dialog; ``asked`` are the questions, answered by ``answer``."""

    def opened(folder=None, labels=True, warning="", answer=True):
        asked: list[str] = []
        made = ExportDialog(
            None,
            folder or tmp_path / "new",
            labels=labels,
            warning=warning,
            agree=lambda _, question: asked.append(question) or answer,
        )
        qtbot.addWidget(made)
        made.asked, made.plans = asked, []
        made.chosen.connect(made.plans.append)
        made.open()
        return made

    return opened


def press(dialog, qtbot) -> None:
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_everything_is_exported_at_first(dialog, qtbot, tmp_path):
    shown = dialog()
    press(shown, qtbot)
    assert shown.plans == [ExportPlan(tmp_path / "new", frozenset(PARTS), "itk", False)]
    assert not shown.isVisible() and shown.asked == [] and not (tmp_path / "new").exists()


def test_parts_and_format_are_chosen(dialog, qtbot, tmp_path):
    shown = dialog(labels=False)
    assert not shown.boxes["labels"].isEnabled() and not shown.always.isEnabled()
    for name in ("image", "inverse"):
        shown.boxes[name].click()
    shown.format.setCurrentIndex(1)
    shown.folder.clear()
    qtbot.keyClicks(shown.folder, str(tmp_path / "other"))
    press(shown, qtbot)
    what = frozenset({"displacement", "jacobian"})
    assert shown.plans == [ExportPlan(tmp_path / "other", what, "fsl", False)]


def test_the_format_matters_for_fields_alone(dialog):
    shown = dialog()
    for name in ("displacement", "inverse"):
        assert shown.format.isEnabled()
        shown.boxes[name].click()
    assert not shown.format.isEnabled()


def test_files_are_replaced_only_after_asking(dialog, qtbot, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "inverse.nii.gz").touch()
    shown = dialog(full, answer=False)
    assert "not empty" in shown.place_note.text()
    press(shown, qtbot)
    assert shown.plans == [] and shown.isVisible() and len(shown.asked) == 1
    assert "stay" not in shown.asked[0]
    agreed = dialog(full, answer=True)
    agreed.boxes["inverse"].click()
    press(agreed, qtbot)
    assert agreed.plans[0].overwrite and agreed.plans[0].what == set(PARTS) - {"inverse"}
    assert "inverse.nii.gz there will stay and will not belong" in agreed.asked[0]


def test_no_place_and_a_file_are_refused(dialog, tmp_path):
    shown = dialog()
    export = shown.buttons.button(QDialogButtonBox.StandardButton.Ok)
    shown.folder.setText("  ")
    assert not export.isEnabled()
    (tmp_path / "file").touch()
    shown.folder.setText(str(tmp_path / "file"))
    assert not export.isEnabled() and "a file" in shown.place_note.text()
    shown.folder.setText("~no such user/x")
    assert export.isEnabled() and shown.place_note.text() == ""


def test_cancel_chooses_nothing(dialog, qtbot):
    shown = dialog()
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert shown.plans == [] and not shown.isVisible()


def test_a_folder_is_chosen_by_browsing(dialog, monkeypatch, tmp_path):
    shown = dialog()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "picked"))
    shown.browse.click()
    assert shown.plan().folder == tmp_path / "picked"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    shown.browse.click()
    assert shown.plan().folder == tmp_path / "picked"


def test_every_control_says_what_it_does(dialog):
    shown = dialog(warning="x")
    kinds = (QAbstractButton, QComboBox, QLineEdit)
    controls = [w for kind in kinds for w in shown.findChildren(kind)]
    assert len(controls) >= 11 and [w for w in controls if not w.toolTip()] == []


@pytest.mark.parametrize(
    ("form", "model", "message"),
    [
        ({"level": 48, "seed": 1, "steps": None, "slices": "shared"}, "cardiac-sax", None),
        ({"level": 48, "seed": 1, "steps": 8}, "cardiac-sax", None),
        ({"level": 50, "seed": 2}, "cardiac-sax", "The form says level 50, seed 2: generate"),
        ({"level": 48, "seed": 1}, "thorax-ct", "exported: model cardiac-sax. The form"),
        ({"level": 48, "seed": 1, "slices": "each"}, "cardiac-sax", "The form says slices each:"),
    ],
)  # fmt: skip
def test_a_form_that_moved_on_is_reported(form, model, message):
    warning = mismatch(RECIPE, form, model)
    assert warning == "" if message is None else message in warning


def test_a_level_below_the_steps_is_no_difference():
    recipe = {**RECIPE, "options": {**RECIPE["options"], "level": 3, "steps": 3}}
    assert mismatch(recipe, {"level": 3, "seed": 1, "steps": 8}, "cardiac-sax") == ""
    assert "steps 2:" in mismatch(recipe, {"level": 3, "seed": 1, "steps": 2}, "cardiac-sax")
    none = {**RECIPE, "options": {**RECIPE["options"], "level": 0, "steps": None}}
    assert mismatch(none, {"level": 0, "seed": 1, "steps": 8}, "cardiac-sax") == ""
    assert "steps" not in mismatch(none, {"level": 5, "seed": 1, "steps": 8}, "cardiac-sax")


@pytest.mark.parametrize("name", ["guide", "variety"])
def test_an_option_that_the_recipe_leaves_out_is_named(name):
    assert name not in RECIPE["options"]
    form = {k: v for k, v in RECIPE["options"].items() if k in ("level", "seed")}
    warning = mismatch(RECIPE, {**form, name: 1}, RECIPE["model"]["name"])
    assert f"What is shown is exported: no {name}. The form says {name} 1" in warning


def test_a_free_folder_is_offered(tmp_path):
    assert free_folder(tmp_path, "heart", 48, 1) == tmp_path / "heart-L48-S1"
    for name in ("heart-L48-S1", "heart-L48-S1-2"):
        (tmp_path / name).mkdir()
    assert free_folder(tmp_path, "heart", 48, 1) == tmp_path / "heart-L48-S1-3"
    assert free_folder(tmp_path, "../a:b", 0, 7) == tmp_path / "a-b-L0-S7"


@pytest.fixture
def dock(qtbot):
    """A widget with a child that takes text itself; ``files`` are those dropped."""
    widget = QWidget()
    QVBoxLayout(widget).addWidget(QSpinBox())
    qtbot.addWidget(widget)
    widget.files = []
    ModelDrop(widget).dropped.connect(widget.files.append)
    widget.show()
    return widget


def drop(widget: QWidget, *paths: Path, at: QPoint | None = None) -> tuple[bool, bool]:
    """Drag files over a widget and let go: whether the drag and the drop were accepted."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    place = at or QPoint(1, 1)
    events = (
        QDragEnterEvent(place, copy, mime, left, none),
        QDragMoveEvent(place, copy, mime, left, none),
        QDropEvent(QPointF(place), copy, mime, left, none),
    )
    for event in events:
        event.ignore()
        QApplication.sendEvent(widget, event)
    return events[0].isAccepted(), events[2].isAccepted()


@pytest.mark.filterwarnings("ignore:.*deprecated, please check:DeprecationWarning")  # PySide6
def test_models_are_taken_and_images_are_left(dock, tmp_path):
    model, release = tmp_path / "a b.safetensors", tmp_path / "c.PTH"
    assert drop(dock, model, release) == (True, True)
    assert [Path(file) for file in dock.files] == [model, release]
    assert drop(dock, tmp_path / "scan.nii.gz") == (False, False)
    assert drop(dock, model, tmp_path / "scan.nii.gz") == (False, False)
    assert drop(dock) == (False, False) and len(dock.files) == 2


@pytest.mark.filterwarnings("ignore:.*deprecated, please check:DeprecationWarning")  # PySide6
def test_a_model_let_go_over_a_spin_box_is_taken(dock, tmp_path):
    spin = dock.findChild(QSpinBox)
    assert drop(spin, tmp_path / "m.pth", at=QPoint(5, 5)) == (True, True)
    assert [Path(file).name for file in dock.files] == ["m.pth"] and spin.value() == 0


def test_other_events_pass_through(dock):
    assert dock.isVisible()
    QApplication.sendEvent(dock, QEvent(QEvent.Type.FontChange))
    dock.hide()
    assert not dock.isVisible()
