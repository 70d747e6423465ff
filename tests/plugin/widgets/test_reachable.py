"""Every control of docks and dialogs: named, in the order of Tab, whole on small screens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QDialog,
    QLabel,
    QPushButton,
    QWidget,
)

from napari_drdm.batch.form import BatchForm
from napari_drdm.explorer.form import ExplorerForm
from napari_drdm.reader_test.form import ReaderTestForm
from napari_drdm.widgets.card_dialog import CardDialog
from napari_drdm.widgets.column import Column
from napari_drdm.widgets.export_dialog import ExportDialog
from napari_drdm.widgets.help_dialog import HelpDialog
from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.section import Section
from napari_drdm.widgets.spoken_names import focusable, spoken_name
from napari_drdm.widgets.target_row import TargetLabel
from src_core.models.library import ModelEntry
from src_core.models.model import ModelSpec
from tests.support import tiny
from tests.support.paths import ROOT

#: Room for a dock in windows of 1024 x 768 and 960 x 540 pixels.
SIZES = [(400, 640), (380, 420)]


def explorer() -> ExplorerForm:
    form = ExplorerForm()
    form.targets.offer([TargetLabel(1, "RV", 80.0, "ml"), TargetLabel(2, "Myo", 90.0, "ml", 8.0)])
    return form


FORMS = {"explorer": explorer, "batch": BatchForm, "reader test": ReaderTestForm}


def opened(made: QWidget, size: tuple[int, int] = (400, 900)) -> QWidget:
    """All of its sections open, at a size."""
    for section in made.findChildren(Section):
        section.set_open(True)
    made.resize(*size)
    made.show()
    for _ in range(3):
        QApplication.processEvents()
        QTest.qWait(50)
    return made


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, qtbot: Any) -> QWidget:
    made = FORMS[request.param]()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def dialogs(qtbot: Any, tmp_path: Path) -> list[QDialog]:
    spec = ModelSpec.model_validate(tiny.SPEC)
    made = [
        ExportDialog(None, tmp_path, labels=True, warning="", agree=lambda *_: True),
        CardDialog(None, ModelEntry("tiny", tmp_path / "tiny.safetensors", spec, False)),
        HelpDialog(None, [("Esc", "Cancel")]),
    ]
    for dialog in made:
        qtbot.addWidget(dialog)
    return made


def test_every_control_of_a_dock_has_a_name(form: QWidget) -> None:
    controls = focusable(opened(form))
    assert len(controls) > 20
    assert [(type(w).__name__, w.toolTip()) for w in controls if not spoken_name(w)] == []
    names = [(type(w).__name__, spoken_name(w)) for w in controls]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice


def test_every_control_of_a_dialog_has_a_name(dialogs: list[QDialog]) -> None:
    for dialog in dialogs:
        controls = focusable(opened(dialog))
        assert controls and all(spoken_name(widget) for widget in controls)


def tabbed(form: QWidget, first: QWidget) -> Iterator[QWidget]:
    """What Tab goes through, from one control until it is there again."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    now: QWidget | None = first
    while now is not None:
        yield now
        QTest.keyClick(now, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is first:
            return


def test_tab_goes_through_all_controls_from_the_top_down(form: QWidget, qtbot: Any) -> None:
    for button in opened(form).findChildren(QPushButton):
        button.setEnabled(True)
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow, timeout=30_000)
    wanted = [w for w in focusable(form) if w.isVisible() and w.isEnabled()]
    panel = form.findChild(Column).widget()
    first = min(wanted, key=lambda w: w.mapTo(panel, QPoint()).y())
    went = list(tabbed(form, first))
    assert {id(w) for w in went} == {id(w) for w in wanted} and len(went) == len(wanted)
    places = [w.mapTo(panel, QPoint(0, w.height() // 2)) for w in went]
    for one, following in pairwise(places):
        below, beside = following.y() > one.y() + 8, abs(following.y() - one.y()) <= 8
        assert below or (beside and following.x() > one.x())


def cut(form: QWidget) -> list[str]:
    """Controls and texts that have less room than they need."""
    found = []
    for widget in form.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, QAbstractScrollArea | MessageLine):
            continue
        if isinstance(widget, QAbstractButton) and widget.text():
            need = widget.fontMetrics().horizontalAdvance(widget.text())
            if widget.width() < need or widget.height() < widget.fontMetrics().height():
                found.append(f"{widget.text()}: {widget.width()} of {need}")
        elif isinstance(widget, QLabel) and widget.text() and not widget.wordWrap():
            if widget.width() < widget.sizeHint().width() and not widget.toolTip():
                found.append(f"{widget.text()}: {widget.width()} of {widget.sizeHint().width()}")
        elif widget in focusable(form) and widget.width() < widget.minimumSizeHint().width():
            found.append(f"{spoken_name(widget)}: {widget.width()}")
    return found


def out_of_reach(form: QWidget) -> list[str]:
    """Controls that scrolling does not bring into view whole."""
    area, found = form.findChild(Column), []
    for widget in focusable(form):
        if widget.isVisible():
            area.reveal(widget)
            there = QRect(widget.mapTo(area.viewport(), QPoint()), widget.size())
            if not area.viewport().rect().contains(there):
                found.append(f"{spoken_name(widget)} {there}")
    return found


@pytest.mark.parametrize("size", SIZES, ids=["1024x768", "960x540"])
def test_nothing_is_cut_or_out_of_reach_on_a_small_screen(
    form: QWidget, size: tuple[int, int]
) -> None:
    opened(form, size)
    assert form.size().height() == size[1] and form.width() <= 420
    assert cut(form) == []
    assert out_of_reach(form) == []


def test_dialogs_fit_a_small_screen(dialogs: list[QDialog]) -> None:
    for dialog in dialogs:
        opened(dialog, (520, 400))
        assert dialog.width() <= 960 and dialog.height() <= 500
        assert cut(dialog) == []


SCALED = """
from qtpy.QtWidgets import QApplication
application = QApplication([])
from tests.plugin.widgets.test_reachable import FORMS, SIZES, cut, opened, out_of_reach
for name, make in FORMS.items():
    form = make()
    for size in SIZES:
        opened(form, size)
        assert form.devicePixelRatioF() == 2, form.devicePixelRatioF()
        assert form.height() == size[1], form.size()
        assert cut(form) == [], cut(form)
        assert out_of_reach(form) == [], out_of_reach(form)
print("whole at 2")
"""


def test_nothing_is_cut_at_twice_the_scale() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCALED],
        cwd=ROOT,
        env={**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.stdout.strip().endswith("whole at 2"), ran.stderr
