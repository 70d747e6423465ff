"""Controls that stay as they are while the wheel scrolls past them or a number is being typed."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollBar,
    QWidget,
)

__all__ = ["WheelGuard", "finish_typing", "keep_still"]

#: What the wheel would change.
_TURNED = (QAbstractSpinBox, QComboBox, QAbstractSlider)
#: Pictures that take the wheel and do nothing with it.
_CANVAS = "FigureCanvasQTAgg"


class WheelGuard(QObject):
    """Event filter: the wheel over a control without the focus goes to what scrolls around it."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Pass the wheel on."""
        if event is None or event.type() != QEvent.Type.Wheel:
            return False
        if isinstance(watched, _TURNED) and watched.hasFocus():
            return False
        event.ignore()
        return True


def keep_still(root: QWidget, guard: WheelGuard) -> None:
    """Guard the controls below a widget; each once, however often this is called."""
    for widget in root.findChildren(QWidget):
        turned = isinstance(widget, _TURNED) and not isinstance(widget, QScrollBar)
        if not (turned or type(widget).__name__ == _CANVAS):
            continue
        widget.removeEventFilter(guard)
        widget.installEventFilter(guard)
        if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if isinstance(widget, QAbstractSpinBox):
            widget.setKeyboardTracking(False)


def finish_typing() -> None:
    """Take what is being typed into a number as finished, as leaving the box would."""
    focused = QApplication.focusWidget()
    if isinstance(focused, QAbstractSpinBox):
        focused.interpretText()
