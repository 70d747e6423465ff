"""A ring around the control that has the focus; napari's own style shows none.

It has the colour of the window's text, so that it stands out in every theme. A button or checkbox
that was clicked gets none: what a click did is seen.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from qtpy.QtGui import QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QAbstractButton, QApplication, QWidget

__all__ = ["FocusMark"]

_WIDE, _ROUND = 2, 3
_MOVING = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class FocusMark(QWidget):
    """Lies over the focused control of a panel, without size of its own and out of the mouse's way.

    ``reached(QWidget)``: a key has brought the focus to a control.

    Args:
        panel: whose controls are marked.
    """

    reached = Signal(object)

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self._followed: list[QWidget] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        application: Any = QApplication.instance()
        application.focusChanged.connect(self._on_focus)

    def eventFilter(self, watched: Any, event: QEvent | None) -> bool:
        """Stay on the control where it, or what it stands in, moves."""
        if event is not None and event.type() in _MOVING:
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """The ring."""
        painter, half = QPainter(self), _WIDE / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(self.foregroundRole()), _WIDE))
        ring = QRectF(self.rect()).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(ring, _ROUND, _ROUND)
        painter.end()

    def _on_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        for widget in self._followed:
            widget.removeEventFilter(self)
        here = now if now is not None and self._panel.isAncestorOf(now) else None
        self._followed = [] if here is None or not _is_marked(here) else _up_to(here, self._panel)
        for widget in self._followed:
            widget.installEventFilter(self)
        if here is not None and _by_key(here):
            self.reached.emit(here)
        self._place()

    def _place(self) -> None:
        if not self._followed or not self._followed[0].isVisibleTo(self._panel):
            self.hide()
            return
        control = self._followed[0]
        rect = QRect(control.mapTo(self._panel, QPoint()), control.size())
        self.setGeometry(rect.adjusted(-_WIDE, -_WIDE, _WIDE, _WIDE))
        self.show()
        self.raise_()


def _is_marked(widget: QWidget) -> bool:
    """Whether a control shows that it has the focus: a button only where a key brought it there."""
    return _by_key(widget) or not isinstance(widget, QAbstractButton)


def _by_key(widget: QWidget) -> bool:
    """Whether a key has brought the focus to a widget."""
    window, attribute = widget.window(), Qt.WidgetAttribute.WA_KeyboardFocusChange
    return window is not None and window.testAttribute(attribute)


def _up_to(widget: QWidget, panel: QWidget) -> list[QWidget]:
    """A widget and those it stands in, below the panel."""
    found = [widget]
    while (above := found[-1].parentWidget()) is not None and above is not panel:
        found.append(above)
    return found
