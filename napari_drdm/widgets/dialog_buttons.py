"""The buttons that a dialog box has by its kind."""

from __future__ import annotations

from qtpy.QtWidgets import QDialogButtonBox, QPushButton

__all__ = ["standard_button"]


def standard_button(box: QDialogButtonBox, kind: QDialogButtonBox.StandardButton) -> QPushButton:
    """A button of a box.

    Raises:
        LookupError: the box was made without it.
    """
    button = box.button(kind)
    if button is None:
        raise LookupError(f"standard_button() 'kind' must be a button of the box, got {kind}")
    return button
