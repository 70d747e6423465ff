"""A message in a room of its own: it takes no more of the dock when there is more to say."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt
from superqt import QElidingLabel

__all__ = ["MessageLine"]

#: Pixels left and right of the text, together.
_PADDING = 14


class MessageLine(QElidingLabel):
    """So many lines, empty or not; a longer text ends in dots and is whole in its tooltip.

    Args:
        lines: kept free.
        tip: what the line is about, for its tooltip.
    """

    def __init__(self, lines: int = 1, tip: str = "") -> None:
        super().__init__()
        self._tip, self._lines = tip, lines
        self.setEllipsesWidth(_PADDING)
        self.setWordWrap(lines > 1)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._keep_room()
        self.setText("")

    def setText(self, text: str | None) -> None:
        """Show a text."""
        self.show_text(text or "")

    def show_text(self, text: str, details: str = "") -> None:
        """Show a text, with more about it in the tooltip."""
        super().setText(text)
        self.setToolTip("\n".join(part for part in (text, details, self._tip) if part))

    def changeEvent(self, event: QEvent | None) -> None:
        """Another theme or scale has another font."""
        super().changeEvent(event)
        if event and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._keep_room()

    def _keep_room(self) -> None:
        self.setFixedHeight(self._lines * self.fontMetrics().lineSpacing() + 8)

    def _wrappedText(self) -> list[str]:
        """Lines that leave room for the padding of a badge."""
        return self.wrapText(self._text, self.width() - _PADDING, self.font())

    def sizeHint(self) -> QSize:
        """What it says never widens the dock."""
        return QSize(0, self.height())

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``."""
        return self.sizeHint()
