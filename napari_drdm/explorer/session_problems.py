"""A layer of a session that is not as it was: the user locates it, takes it, or leaves it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QMessageBox, QPushButton, QWidget

from napari_drdm.sessions.found_layers import LayerAnswer

if TYPE_CHECKING:
    from napari_drdm.sessions.found_layers import LayerProblem

__all__ = ["ask_about"]

_TIPS = {
    "Locate…": "Choose the file where it is now",
    "Open as it is": "Take the changed file; results of it will differ",
    "Leave out": "Open the session without this layer and the results made of it",
}


def ask_about(parent: QWidget, problem: LayerProblem) -> LayerAnswer | None:
    """Ask what to do; None where the session is not to be opened."""
    box = QMessageBox(parent)
    box.setWindowTitle("Open session")
    box.setText(problem.words)
    offered = [w for w in _TIPS if w != "Open as it is" or problem.kind == "changed"]
    buttons = {}
    for words in offered:
        button = QPushButton(words)
        button.setToolTip(_TIPS[words])
        box.addButton(button, QMessageBox.ButtonRole.ActionRole)
        buttons[words] = button
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    clicked = next((w for w, button in buttons.items() if button is box.clickedButton()), None)
    if clicked == "Locate…":
        start = str(problem.path.parent)
        path, _ = QFileDialog.getOpenFileName(parent, f"Locate {problem.record.name}", start)
        return LayerAnswer(path=Path(path)) if path else None
    if clicked == "Open as it is":
        return LayerAnswer(path=problem.path, accept=True)
    return LayerAnswer(leave_out=True) if clicked == "Leave out" else None
