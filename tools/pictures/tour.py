"""Every control of the explorer once, by real events; no picture comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider, QSpinBox

from pictures.hand import choose, click, drag, key, rest, spin, type_file
from pictures.stage import Stage

__all__ = ["tour"]

_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_D, Qt.Key.Key_Comma, Qt.Key.Key_Period, Qt.Key.Key_P)


def tour(stage: Stage, room: Path) -> None:
    """One slice; sliders, boxes, lists, numbers, buttons, keys."""
    stage.viewer.open_sample("napari-drdm", "slice")
    stage.explore()
    for title in stage.explorer.sections:
        stage.unfold(title)
    for box in _all(stage, QCheckBox):
        click(box)
        stage.settle()
    stage.tick(stage.explorer.show_panel.boxes)
    click(stage.explorer.run_bar.generate)
    stage.settle()
    for slider in _all(stage, QSlider):
        for part in (0.8, 0.4):
            drag(slider, round(slider.minimum() + part * (slider.maximum() - slider.minimum())))
            stage.settle()
    for combo in _all(stage, QComboBox):
        for row in [*range(combo.count()), 0]:
            if combo.isEnabled() and combo.itemText(row):  # a choice may leave fewer in a list
                choose(combo, combo.itemText(row))
                stage.settle()
    for numbers in _all(stage, QSpinBox):
        spin(numbers, numbers.value() + 2)
        stage.settle()
    _buttons(stage)
    for which in _KEYS:
        key(stage.explorer.options.level, which, control=True)
        stage.settle()
    key(stage.explorer.options.level, Qt.Key.Key_Escape)
    _roll(stage)


def _all(stage: Stage, kind: type) -> list[Any]:
    """The controls of a kind that can be used now.

    Raises:
        RuntimeError: one does not say what it does.
    """
    found = [w for w in stage.explorer.findChildren(kind) if w.isVisible() and w.isEnabled()]
    found = [w for w in found if not isinstance(w.parent(), QComboBox)]
    mute = [w for w in found if not w.toolTip()]
    if mute:
        raise RuntimeError(f"without a tooltip: {mute}")
    return found


def _buttons(stage: Stage) -> None:
    """All but the headers; two of them twice, since they stay pressed."""
    explorer = stage.explorer
    headers = [section.header for section in explorer.sections.values()]
    for button in _all(stage, QPushButton):
        if not isalive(button) or button in headers or not button.isEnabled():
            continue  # another button may have removed this one with its row
        if button.text() == "Import…":
            type_file(button, "")
        else:
            for _ in range(2 if button.isCheckable() else 1):
                click(button)
                rest(0.5)
        if explorer.exporter.dialog is not None:
            explorer.exporter.dialog.reject()
            explorer.exporter.dialog = None
        stage.settle()


def _roll(stage: Stage) -> None:
    """Other views of the same."""
    buttons = stage.viewer.window._qt_viewer.viewerButtons
    for button in (buttons.transposeDimsButton, buttons.rollDimsButton, buttons.ndisplayButton):
        click(button)
        stage.settle()
        click(button)
        stage.settle()
