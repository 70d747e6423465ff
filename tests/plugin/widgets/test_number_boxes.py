"""A typed number is never another one in silence: limits say so, and a comma is a decimal sign."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QToolTip

from napari_drdm.widgets.controls import OptionsPanel
from napari_drdm.widgets.optional_slider import FACTORS, OptionalSlider


def typed(box, text: str) -> None:
    box.setKeyboardTracking(False)
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("name", "text", "value", "line"),
    [
        ("level", "999", 80, "999 is beyond the limit: 80 is used"),
        ("level", "100", 80, "100 is beyond the limit: 80 is used"),
        ("level", "42", 42, ""),
        ("variety", "0,25", 0.25, ""),
        ("variety", "0.5", 0.5, ""),
        ("variety", "25", 1.0, "25 is beyond the limit: 1.00 is used"),
    ],
)
def test_typed_numbers(qtbot, name: str, text: str, value: float, line: str) -> None:
    QToolTip.hideText()
    panel = OptionsPanel()
    qtbot.addWidget(panel)
    panel.show()
    box = panel.level if name == "level" else panel.variety.box
    typed(box, text)
    assert panel.values()[name] == pytest.approx(value) and box.value() == pytest.approx(value)
    if line:
        assert QToolTip.text() == line


def test_a_factor_beyond_its_limit(qtbot) -> None:
    panel = OptionsPanel()
    qtbot.addWidget(panel)
    value = OptionalSlider(FACTORS, "size", panel)
    qtbot.addWidget(value.box)
    value.box.show()
    typed(value.box, "1,3")
    assert value.value() == 1.3
    typed(value.box, "7")
    assert value.value() == 2.0 and "7 is beyond" in QToolTip.text()
