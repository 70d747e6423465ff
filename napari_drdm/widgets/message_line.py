"""A message in a room of its own: it takes no more of the dock when there is more to say."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from superqt import QElidingLabel

__all__ = ["MessageLine"]


class MessageLine(QElidingLabel):
    """So many lines, empty or not; a longer text ends in dots and is whole in its tooltip.

    Args:
        lines: kept free.
        tip: what the line is about, for its tooltip.
    """

    def __init__(self, lines: int = 1, tip: str = "") -> None:
        super().__init__()
        self._tip = tip
        self.setWordWrap(lines > 1)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 4)
        self.setText("")

    def setText(self, text: str | None) -> None:
        """Show a text."""
        super().setText(text or "")
        self.setToolTip("\n".join(part for part in (text, self._tip) if part))

    def minimumSizeHint(self) -> QSize:
        """What it says never widens the dock."""
        return QSize(0, self.height())
