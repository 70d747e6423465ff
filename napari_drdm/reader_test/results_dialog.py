"""The results of a reader test, in a window of their own: the tables are wider than a dock."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from napari_drdm.widgets.dialog_buttons import standard_button
from napari_drdm.widgets.screen_room import fit_screen
from napari_drdm.widgets.usable import UsablePanel

__all__ = ["ResultsDialog"]


class ResultsDialog(QDialog):
    """Shows tables in Markdown, which can be selected and copied.

    Attributes:
        text: the tables.
    """

    def __init__(self, parent: QWidget | None, tables: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Results of the reader test")
        self.text = QTextBrowser()
        self.text.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        self.text.setMarkdown(tables)
        self.text.setAccessibleName("Tables of the results")
        self.text.setToolTip("Also in table.md, results.csv and results.json of the test's folder")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = standard_button(buttons, QDialogButtonBox.StandardButton.Close)
        close.setToolTip("Close the results")
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.usable = UsablePanel(self)
        fit_screen(self, 860, 560)
