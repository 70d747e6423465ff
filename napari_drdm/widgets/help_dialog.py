"""The help of a dock: first steps, and its keys."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from napari_drdm.widgets.dialog_buttons import standard_button
from napari_drdm.widgets.screen_room import fit_screen
from napari_drdm.widgets.usable import UsablePanel

__all__ = ["HelpDialog"]

_STEPS = (
    "Open an image, and labels on the same voxels if there are any.",
    "Choose a model that was trained on such images; Card says on which.",
    "Move Level: how strongly the anatomy changes. Each Seed gives another new anatomy.",
    "Show adds the displacement, its Jacobian determinant, a grid or arrows; Metrics has numbers.",
    "Every result is kept under Variants. Export writes image, labels, field and recipe.",
)


class HelpDialog(QDialog):
    """Shows the steps and the keys, and closes with Esc.

    Args:
        keys: each key, and what it does.
    """

    def __init__(self, parent: QWidget | None, keys: Iterable[tuple[str, str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Deformation explorer: help")
        self.text = QTextBrowser()
        self.text.setAccessibleName("Help")
        self.text.setHtml(_page(keys))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = standard_button(buttons, QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Close the help (Esc)")
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.usable = UsablePanel(self)
        fit_screen(self, 520, 480)


def _page(keys: Iterable[tuple[str, str]]) -> str:
    steps = "".join(f"<li>{escape(step)}</li>" for step in _STEPS)
    rows = "".join(
        f"<tr><td><b>{escape(key)}</b></td><td>&nbsp;&nbsp;{escape(text)}</td></tr>"
        for key, text in keys
    )
    return (
        f"<h3>First steps</h3><ol>{steps}</ol>"
        f"<h3>Keys, while the focus is in the dock</h3><table>{rows}</table>"
    )
