"""Boxes for numbers: a comma is a decimal sign, and what is beyond the limits becomes the limit."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPoint
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QSpinBox, QToolTip

__all__ = ["NumberBox", "WholeNumberBox"]

#: How long the line about a limit is shown, ms.
_SHOWN_MS = 8000


class WholeNumberBox(QSpinBox):
    """A whole number; a typed one beyond the limits becomes the limit, and a line says so."""

    def validate(self, text: str | None, at: int) -> Any:
        """Let a number beyond the limits be typed to its end."""
        answer = super().validate(text, at)
        return _while_typing(self, answer, text or "", at)

    def fixup(self, text: str | None) -> str:
        """The limit, for a number beyond it."""
        return _limited(self, text or "")


class NumberBox(QDoubleSpinBox):
    """A number; a typed one beyond the limits becomes the limit, and a line says so."""

    def validate(self, text: str | None, at: int) -> Any:
        """Take a comma for a decimal sign, and let a number be typed to its end."""
        point = self.locale().decimalPoint()
        text = (text or "").replace(",", point).replace(".", point)
        return _while_typing(self, super().validate(text, at), text, at)

    def fixup(self, text: str | None) -> str:
        """The limit, for a number beyond it."""
        return _limited(self, text or "")


def _while_typing(box: Any, answer: Any, text: str, at: int) -> Any:
    refused = answer[0] == QValidator.State.Invalid
    if refused and _beyond(box, text) is not None:
        return QValidator.State.Intermediate, text, at
    return answer


def _limited(box: Any, text: str) -> str:
    limit = _beyond(box, text)
    if limit is None:
        return text
    shown = f"{box.prefix()}{box.textFromValue(limit)}{box.suffix()}"
    line = f"{_number_text(box, text)} is beyond the limit: {box.textFromValue(limit)} is used"
    QToolTip.showText(box.mapToGlobal(QPoint(0, box.height())), line, box, box.rect(), _SHOWN_MS)
    return shown


def _beyond(box: Any, text: str) -> Any:
    """The limit that a text is beyond; None where it is within or no number."""
    try:
        value = float(_number_text(box, text).replace(box.locale().decimalPoint(), "."))
    except ValueError:
        return None
    if value > box.maximum():
        return box.maximum()
    return box.minimum() if value < box.minimum() else None


def _number_text(box: Any, text: str) -> str:
    return str(text).removeprefix(box.prefix()).removesuffix(box.suffix()).strip()
