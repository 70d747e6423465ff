"""Rows of widgets, and forms of rows."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QWidget

__all__ = ["form_of", "row_of"]


def form_of(widget: QWidget) -> QFormLayout:
    """A form that lays out a widget, without margins."""
    form = QFormLayout(widget)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def row_of(first: QWidget, *others: Any) -> QHBoxLayout:
    """Widgets side by side, the first as wide as it can be."""
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row
