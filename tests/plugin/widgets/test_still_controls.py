"""Hands on the forms: the wheel scrolls past controls, numbers count once they are typed."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLabel, QSlider, QWidget

from napari_drdm.batch.form import BatchForm
from napari_drdm.explorer.form import ExplorerForm
from napari_drdm.widgets.column import Column
from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.target_row import TargetLabel


def turn(widget: QWidget) -> None:
    """One notch of the wheel, downwards; as Qt does, on to the parents until one takes it."""
    at: QWidget | None = widget
    while at is not None:
        event = notch(at)
        QApplication.sendEvent(at, event)
        at = None if event.isAccepted() else at.parentWidget()


def notch(widget: QWidget) -> QWheelEvent:
    middle = QPointF(widget.rect().center())
    return QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


@pytest.fixture(params=[ExplorerForm, BatchForm])
def form(request: pytest.FixtureRequest, qtbot: Any) -> Any:
    made = request.param()
    qtbot.addWidget(made)
    for section in made.findChildren(QWidget):
        if hasattr(section, "set_open"):
            section.set_open(True)
    made.resize(400, 300)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=30_000)
    return made


def values(form: QWidget) -> list[Any]:
    boxes, sliders = form.findChildren(QAbstractSpinBox), form.findChildren(QSlider)
    texts = [box.text() for box in boxes] + [x.value() for x in sliders]
    return texts + [box.currentIndex() for box in form.findChildren(QComboBox)]


def test_the_wheel_over_controls_scrolls_the_dock(form: Any, qtbot: Any) -> None:
    area = form.findChild(Column)
    if isinstance(form, ExplorerForm):
        form.targets.offer([TargetLabel(1, "RV", 80.0, "ml", 3.0)])
        form.more.region.offer([("a", object()), ("b", object())])
        qtbot.waitUntil(lambda: area.usable.up_to_date, timeout=30_000)  # rows that come later too
    kinds = (QAbstractSpinBox, QComboBox, QSlider)
    controls = [w for kind in kinds for w in form.findChildren(kind) if w.isEnabled()]
    assert len(controls) > 8
    before = values(form)
    for control in controls:
        if control.hasFocus():
            control.clearFocus()
        area.verticalScrollBar().setValue(0)
        area.reveal(control)
        bar = area.verticalScrollBar()
        bar.setValue(min(bar.value(), bar.maximum() - 20))
        at = bar.value()
        turn(control)
        assert bar.value() > at, control.toolTip()
        assert not control.hasFocus()
    assert values(form) == before
    wheel = Qt.FocusPolicy.WheelFocus
    assert [w.toolTip() for w in controls if w.focusPolicy() == wheel] == []


def test_the_wheel_turns_what_has_the_focus(form: Any) -> None:
    box = form.options.seed if isinstance(form, ExplorerForm) else form.fields.per_case
    box.setValue(5)
    box.setFocus()
    turn(box)
    assert box.value() == 4


@pytest.mark.parametrize("end", ["return", "tab", "generate"])
def test_a_number_counts_once_it_is_typed(qtbot: Any, end: str) -> None:
    form = ExplorerForm()
    qtbot.addWidget(form)
    form.show()
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow, timeout=30_000)
    form.run_bar.generate.setEnabled(True)
    seen, asked = [], []
    form.options.changed.connect(lambda: seen.append(form.options.values()["seed"]))
    form.run_bar.generate_asked.connect(lambda: asked.append(form.options.values()["seed"]))
    seed = form.options.seed
    seed.setFocus()
    seed.selectAll()
    QTest.keyClicks(seed, "4711")
    assert seen == []
    control = Qt.KeyboardModifier.ControlModifier
    if end == "generate":
        QTest.keyClick(seed, Qt.Key.Key_Return, control)
        assert asked == [4711]
    else:
        QTest.keyClick(seed, Qt.Key.Key_Return if end == "return" else Qt.Key.Key_Tab)
    assert seen == [4711]


def test_messages_move_no_control(form: Any) -> None:
    lines = form.findChildren(MessageLine)
    assert len(lines) > 1
    controls = [w for w in form.findChildren(QWidget) if w.isVisible() and w not in lines]
    places = [w.mapTo(form, QPoint()).y() for w in controls if not isinstance(w, QLabel)]
    for line in lines:
        line.setText("words that go on and on " * 20)
    QApplication.processEvents()
    after = [w.mapTo(form, QPoint()).y() for w in controls if not isinstance(w, QLabel)]
    assert after == places
    assert all("on and on" in line.toolTip() for line in lines)
