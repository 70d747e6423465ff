"""One picture on black, as large as fits, with a frame when it is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

__all__ = ["PicturePane"]

_FRAME = 4
_CHOSEN, _BACKGROUND = QColor("#ffb020"), QColor("#000000")


class PicturePane(QWidget):
    """A picture without a name: ``clicked`` when a person presses the mouse on it."""

    clicked = Signal()

    def __init__(self, accessible_name: str) -> None:
        super().__init__()
        self._pixels = QPixmap()
        self._chosen = False
        self.setAccessibleName(accessible_name)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def empty(self) -> bool:
        """Whether nothing is shown."""
        return self._pixels.isNull()

    def show_picture(self, path: Path | None) -> None:
        """Show a file, or nothing."""
        self._pixels = QPixmap()
        if path is not None:
            self._pixels.loadFromData(path.read_bytes())
        self.update()

    def set_chosen(self, chosen: bool) -> None:
        """Draw the frame, or take it away."""
        self._chosen = chosen
        self.update()

    def mousePressEvent(self, event: Any) -> None:
        """A click chooses."""
        if not self.empty:
            self.clicked.emit()

    def paintEvent(self, event: Any) -> None:
        """Black, the picture in the middle, and its frame."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self.empty:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = self._place()
        painter.drawPixmap(place, self._pixels, QRectF(self._pixels.rect()))
        if self._chosen:
            painter.setPen(QPen(_CHOSEN, _FRAME, join=Qt.PenJoinStyle.MiterJoin))
            half = _FRAME / 2
            painter.drawRect(place.adjusted(-half, -half, half, half))

    def _place(self) -> QRectF:
        """Where the picture goes: a square in the middle, inside the frame."""
        room = min(self.width(), self.height()) - 2 * _FRAME
        left, top = (self.width() - room) / 2, (self.height() - room) / 2
        return QRectF(left, top, room, room)
