"""The results of a reader test, in a window of their own: the tables are wider than a dock."""

from __future__ import annotations

from qtpy.QtWidgets import QTextBrowser, QWidget

from napari_drdm.widgets.text_dialog import TextDialog

__all__ = ["ResultsDialog"]


class ResultsDialog(TextDialog):
    """Shows tables in Markdown, which can be selected and copied.

    Attributes:
        text: the tables.
    """

    def __init__(self, parent: QWidget | None, tables: str) -> None:
        name, closes = "Tables of the results", "Close the results"
        super().__init__(parent, "Results of the reader test", name, closes, (860, 560))
        self.text.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        self.text.setMarkdown(tables)
        self.text.setToolTip("Also in table.md, results.csv and results.json of the test's folder")
