"""A message keeps room for its lines in the font that it is shown in."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.sources import SourcePanel


def test_room_follows_the_font_of_the_theme(qtbot) -> None:
    line = MessageLine(2)
    qtbot.addWidget(line)
    line.show()
    for points in (9, 16):
        line.setStyleSheet(f"font-size: {points}pt")
        line.ensurePolished()
        assert line.height() >= 2 * line.fontMetrics().lineSpacing() + 4


@pytest.mark.parametrize("points", [9, 12])
def test_the_warning_of_a_scale_is_whole_in_amber(qtbot, points: int) -> None:
    panel = SourcePanel()
    qtbot.addWidget(panel)
    panel.setStyleSheet(f"font-size: {points}pt")
    panel.resize(420, 300)
    panel.show()
    text = "The scale does not fit this model: results may be implausible."
    panel.show_scale(text, "caution", "details")
    assert panel.model_note.text() == f"! {text}" and "…" not in panel.model_note._elidedText()
    assert "details" in panel.model_note.toolTip() and "#8f6000" in panel.model_note.styleSheet()
