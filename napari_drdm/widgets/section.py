"""A panel under a title that folds it away; as high as the panel wants to be at any moment.

superqt's QCollapsible fixes the height when it opens, and cuts off what grows later.
"""

from __future__ import annotations

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

__all__ = ["Section"]

_HEADER = (
    "QPushButton { text-align: left; border: none; background: transparent; padding: 2px 0; "
    "font-weight: bold; } QPushButton:hover { text-decoration: underline; }"
)


class Section(QWidget):
    """A title that is clicked, and what it hides.

    Attributes:
        header: the title; its mark is text, which has the theme's colour where an icon has its own.
    """

    def __init__(self, title: str, panel: QWidget, opened: bool) -> None:
        super().__init__()
        self._title, self._panel = title, panel
        self.header = QPushButton()
        self.header.setStyleSheet(_HEADER)
        self.header.setToolTip("Show or hide this section")
        self.header.clicked.connect(lambda: self.set_open(not self.opened))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.header)
        column.addWidget(panel)
        self.set_open(opened)

    @property
    def opened(self) -> bool:
        """Whether the panel is shown."""
        return not self._panel.isHidden()

    def set_open(self, opened: bool) -> None:
        """Show or hide the panel."""
        self._panel.setVisible(opened)
        self.header.setText(f"{'▾' if opened else '▸'} {self._title}")
        self.header.setAccessibleName(f"{self._title}, {'open' if opened else 'closed'}")
