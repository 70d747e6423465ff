"""The line below every dock that generates: what it makes is synthetic."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from src_core.cases.synthetic import SYNTHETIC

__all__ = ["notice_line"]


def notice_line() -> QLabel:
    """The notice in one centred line, which can be selected and is read aloud by screen readers."""
    label = QLabel(SYNTHETIC)
    label.setObjectName("drdm_notice")
    label.setAccessibleName(SYNTHETIC)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setToolTip(
        "New anatomies are computed, not acquired: they are no evidence about any patient. Layers, "
        "files and reports carry the same words"
    )
    return label
