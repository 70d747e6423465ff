"""A run in three lines, each on its own scale, with a mark at the moment that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

__all__ = ["CURVES", "Curve"]

#: Name, colour of each line.
CURVES = (("largest u", "#e8833a"), ("smallest det J", "#3f9bd8"), ("still to go", "#4caf6d"))
_MARGIN = 3.0


class Curve(QWidget):
    """Lines over the steps; ``picked(float)`` with a position, 0 to 1, when it is clicked."""

    picked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[tuple[float, ...], ...] = ()
        self._at = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        names = ", ".join(name for name, _ in CURVES)
        self.setToolTip(f"The run from random to recovered: {names}. Click to go there")

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(120, 38)

    def show_lines(self, lines: Sequence[Sequence[float]]) -> None:
        """One line per name of ``CURVES``, all of one length; none clears the picture."""
        self._lines = tuple(tuple(line) for line in lines)
        self.update()

    def mark(self, at: float) -> None:
        """Where the moment lies, 0 to 1."""
        self._at = at
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Go to where it is clicked."""
        self._pick(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow a drag."""
        self._pick(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """The lines, and the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        faint = self.palette().color(self.foregroundRole())
        faint.setAlphaF(0.25)
        painter.setPen(QPen(faint, 1))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        for line, (_, colour) in zip(self._lines, CURVES, strict=False):
            painter.setPen(QPen(QColor(colour), 1.6))
            painter.drawPolyline(_polygon(line, room))
        if self._lines:
            x = room.left() + self._at * room.width()
            faint.setAlphaF(0.8)
            painter.setPen(QPen(faint, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        painter.end()

    def _pick(self, event: QMouseEvent | None) -> None:
        if event and self._lines:
            room = self.width() - 2 * _MARGIN
            self.picked.emit(min(max((event.position().x() - _MARGIN) / room, 0.0), 1.0))


def _polygon(line: Sequence[float], room: QRectF) -> QPolygonF:
    top = max(max(line), 1e-9)
    low = min(0.0, *line)
    span = max(len(line) - 1, 1)
    points = QPolygonF()
    for index, value in enumerate(line):
        height = (value - low) / (top - low)
        points.append(
            QPointF(
                room.left() + room.width() * index / span, room.bottom() - height * room.height()
            )
        )
    return points
