"""A model's card in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton

from napari_drdm.widgets.card_dialog import CardDialog, card_rows, figure_rows
from src_core.models.library import ModelEntry, list_models
from src_core.models.model import ModelSpec
from tests.support import tiny

SPEC = {
    **tiny.SPEC, "mm_per_pixel": (3.0, 6.25), "recovery": {"steps": 4},
    "card": {
        "title": "A <b>small</b> model", "data": "five scans", "licence": "CC0-1.0",
        "limits": "none known. " * 400, "command": "drdm train " + "x" * 900,
        "citation": "A. Author 2026", "start": "another", "teacher": "a third",
        "figures": {"removed energy, level 30": "44.6%", "samples": 84000},
    },
}  # fmt: skip


def entry(**changes) -> ModelEntry:
    spec = ModelSpec.model_validate({**SPEC, **changes})
    return ModelEntry(spec.name, Path("/models/tiny.safetensors"), spec, False)


@pytest.fixture
def card(qtbot):
    def opened(of: ModelEntry) -> CardDialog:
        dialog = CardDialog(None, of)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    return opened


def test_a_card_says_everything_a_model_says(card):
    dialog = card(entry())
    shown = dialog.text.toPlainText()
    reported = SPEC["card"]
    for value in (reported[name] for name in reported if name != "figures"):
        assert value.strip() in shown
    assert "3 to 6.2 mm per pixel" in shown
    assert "slices, alone or in a stack (2D), on a grid of 64 x 64" in shown
    for name, figure in reported["figures"].items():
        assert f"{name}\n{figure}\n" in shown


def test_what_a_card_leaves_open_takes_no_room(card):
    bare = entry(card={}, mm_per_pixel=None)
    rows = card_rows(bare)
    assert rows["Scale"] == "unknown" and {"Licence", "Cite", "Made by"}.isdisjoint(rows)
    dialog = card(bare)
    assert "measured" not in dialog.text.toPlainText()


@pytest.mark.parametrize("width", [380, 640])
def test_long_text_scrolls_down_and_never_across(card, width, qtbot):
    dialog = card(entry())
    dialog.resize(width, 400)
    qtbot.waitUntil(lambda: dialog.text.horizontalScrollBar().maximum() == 0)
    assert dialog.text.verticalScrollBar().maximum() > 0
    assert dialog.text.document().size().width() <= dialog.text.viewport().width()


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.name)
def test_cards_of_the_models_that_ship_are_whole(model, card):
    rows = card_rows(model)
    assert {"Trained on", "Licence", "Limits", "Made by", "Cite"} <= set(rows)
    dialog, figures = card(model), figure_rows(model.spec)
    assert figures and all(
        f"{name}\n{f}" in dialog.text.toPlainText() for name, f in figures.items()
    )
    assert dialog.text.horizontalScrollBar().maximum() == 0


def test_the_card_closes_by_its_button_and_has_tooltips(card, qtbot):
    dialog = card(entry())
    named = [b for b in dialog.findChildren(QAbstractButton) if b.text()]
    assert [b.text().replace("&", "") for b in named] == ["Close"] and named[0].toolTip()
    qtbot.mouseClick(named[0], Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()
