"""The order of Tab: as the controls stand, from the top down and from left to right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from qtpy.QtWidgets import QFormLayout, QGridLayout, QLayout, QLayoutItem, QScrollArea, QWidget

from napari_drdm.widgets.spoken_names import focusable

__all__ = ["order_tabs"]


def order_tabs(root: QWidget) -> None:
    """Make Tab go through the controls below a widget as its layouts place them."""
    takes = {id(widget) for widget in focusable(root)}
    placed = [widget for widget in _placed(root) if id(widget) in takes]
    for one, following in pairwise(placed):
        if one.nextInFocusChain() is not following:
            QWidget.setTabOrder(one, following)


def _placed(widget: QWidget) -> Iterator[QWidget]:
    """A widget and those below it, as they are laid out."""
    yield widget
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if inner is not None:
        yield from _placed(inner)
    layout = widget.layout()
    if layout is not None:
        yield from _in_layout(layout)


def _in_layout(layout: QLayout) -> Iterator[QWidget]:
    for item in _items(layout):
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            yield from _placed(widget)
        elif inner is not None:
            yield from _in_layout(inner)


def _items(layout: QLayout) -> list[QLayoutItem]:
    """Items of a layout, row by row where it has rows."""
    places = range(layout.count())
    if isinstance(layout, QGridLayout):
        found = [layout.itemAt(at) for at in sorted(places, key=layout.getItemPosition)]
    elif isinstance(layout, QFormLayout):
        roles = QFormLayout.ItemRole
        sides = (roles.LabelRole, roles.FieldRole, roles.SpanningRole)
        found = [layout.itemAt(row, side) for row in range(layout.rowCount()) for side in sides]
    else:
        found = [layout.itemAt(at) for at in places]
    return [item for item in found if item is not None]
