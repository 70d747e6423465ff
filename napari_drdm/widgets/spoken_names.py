"""Names that a screen reader says: from the label of a row, a button's text or the tooltip."""

from __future__ import annotations

import re

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QFormLayout, QLabel, QLayout, QWidget

__all__ = ["focusable", "name_controls", "spoken_name"]

_SHORTCUT = re.compile(r"\s*\([^()]*\)\s*$")
_CLAUSE = re.compile(r"[:;.](\s|$)")


def focusable(root: QWidget) -> list[QWidget]:
    """Widgets below one that take the focus by Tab, parts of a spin box or list left out."""
    return [
        widget
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.window() is root.window()  # no list that pops up
        and not widget.objectName().startswith("qt_")
    ]


def spoken_name(widget: QWidget) -> str:
    """What a screen reader calls a widget; a button without another name, by its text."""
    named = widget.accessibleName()
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return named or (text if _in_words(text) else "")


def name_controls(root: QWidget) -> None:
    """Name the controls below a widget that have no name yet, and describe them by their tips."""
    for layout in root.findChildren(QFormLayout):
        for row in range(layout.rowCount()):
            _name_row(layout, row)
    for widget in focusable(root):
        tip = widget.toolTip()
        if not spoken_name(widget):
            widget.setAccessibleName(_short(tip))
        if tip and not widget.accessibleDescription() and tip != widget.accessibleName():
            widget.setAccessibleDescription(tip)


def _name_row(layout: QFormLayout, row: int) -> None:
    """Name the fields beside a label by it."""
    label = layout.itemAt(row, QFormLayout.ItemRole.LabelRole)
    field = layout.itemAt(row, QFormLayout.ItemRole.FieldRole)
    title = label.widget() if label is not None else None
    if field is None or not isinstance(title, QLabel) or not _in_words(title.text()):
        return
    for widget in _widgets(field.widget(), field.layout()):
        if not isinstance(widget, QAbstractButton) and not spoken_name(widget):
            widget.setAccessibleName(title.text())


def _widgets(widget: QWidget | None, layout: QLayout | None) -> list[QWidget]:
    if widget is not None:
        return [widget]
    items = [layout.itemAt(at) for at in range(layout.count())] if layout is not None else []
    return [one for item in items if item for one in _widgets(item.widget(), item.layout())]


def _short(tip: str) -> str:
    """The first clause of a tooltip, without its key."""
    first = _CLAUSE.split(tip.partition("\n")[0])[0]
    return _SHORTCUT.sub("", first)


def _in_words(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2}", text))
