"""A dialog of one text, which scrolls and can be selected, with a button that closes it."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from napari_drdm.widgets.dialog_buttons import standard_button
from napari_drdm.widgets.screen_room import fit_screen
from napari_drdm.widgets.usable import UsablePanel

__all__ = ["TextDialog"]


class TextDialog(QDialog):
    """Shows ``text``, which a subclass fills, and closes with Esc.

    Args:
        parent: the window it lies over.
        title: of the dialog.
        name: of the text, for screen readers.
        closes: tooltip of the button.
        size: width and height, where the screen has the room.
    """

    def __init__(
        self, parent: QWidget | None, title: str, name: str, closes: str, size: tuple[int, int]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.text = QTextBrowser()
        self.text.setAccessibleName(name)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = standard_button(buttons, QDialogButtonBox.StandardButton.Close)
        close.setToolTip(closes)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.usable = UsablePanel(self)
        fit_screen(self, *size)
