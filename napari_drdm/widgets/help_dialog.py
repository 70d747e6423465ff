"""The help of a dock: first steps, and its keys."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from qtpy.QtWidgets import QWidget

from napari_drdm.widgets.text_dialog import TextDialog

__all__ = ["HelpDialog"]

_STEPS = (
    "Open an image, and labels on the same voxels if there are any.",
    "Choose a model that was trained on such images; Card says on which.",
    "Move Level: how strongly the anatomy changes. Each Seed gives another new anatomy.",
    "Show adds the displacement, its Jacobian determinant, a grid or arrows; Metrics has numbers.",
    "Every result is kept under Variants. Export writes image, labels, field and recipe.",
)


class HelpDialog(TextDialog):
    """Shows the steps and the keys, and closes with Esc.

    Args:
        keys: each key, and what it does.
    """

    def __init__(self, parent: QWidget | None, keys: Iterable[tuple[str, str]]) -> None:
        super().__init__(
            parent, "Deformation explorer: help", "Help", "Close the help (Esc)", (520, 480)
        )
        self.text.setHtml(_page(keys))


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
