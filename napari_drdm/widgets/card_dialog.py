"""A model's card: what it was trained on, what it may be used for, and what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from qtpy.QtGui import QTextOption
from qtpy.QtWidgets import QWidget

from napari_drdm.widgets.text_dialog import TextDialog

if TYPE_CHECKING:
    from src_core.models.library import ModelEntry
    from src_core.models.model import ModelSpec

__all__ = ["CardDialog", "card_rows", "figure_rows"]


class CardDialog(TextDialog):
    """Shows a card as one text, which wraps anywhere, scrolls, and can be selected."""

    def __init__(self, parent: QWidget | None, entry: ModelEntry) -> None:
        super().__init__(parent, f"Model {entry.name}", "Card", "Close this card", (640, 700))
        self.text.setToolTip("The card of this model; select text to copy it")
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.text.setHtml(_page(entry))


def card_rows(entry: ModelEntry) -> dict[str, str]:
    """The lines of a card by name; those that a card leaves open are missing."""
    spec, card = entry.spec, entry.spec.card
    rows = {
        "Deforms": f"{_dimension(spec)}, on a grid of {' x '.join([str(spec.size)] * spec.ndim)}",
        "Scale": _scale(spec.mm_per_pixel),
        "Levels": f"0 to {spec.schedule.levels}, {spec.recovery.steps} steps by default",
        "Trained on": card.data,
        "Licence": card.licence,
        "Limits": card.limits,
        "Cite": card.citation,
        "Made by": card.command,
        "Fine-tuned from": card.start,
        "Teacher": card.teacher,
        "File": str(entry.path),
    }
    return {name: text for name, text in rows.items() if text}


def figure_rows(spec: ModelSpec) -> dict[str, str]:
    """Name and value of what was measured."""
    return {str(name): str(value) for name, value in spec.card.figures.items()}


def _page(entry: ModelEntry) -> str:
    parts = [f"<h3>{escape(entry.spec.card.title or entry.name)}</h3>"]
    parts.append(_table(card_rows(entry).items()))
    figures = figure_rows(entry.spec)
    if figures:
        parts += ["<h4>Measured</h4>", _table(figures.items(), border=1)]
    return "".join(parts)


def _table(rows: Iterable[tuple[str, str]], border: int = 0) -> str:
    cells = (
        f"<tr><td width='30%'><b>{escape(name)}</b></td><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    style = "border-collapse: collapse; border-style: solid" if border else ""
    return (
        f"<table width='100%' border='{border}' cellpadding='3' cellspacing='0' style='{style}'>"
        f"{''.join(cells)}</table>"
    )


def _dimension(spec: ModelSpec) -> str:
    return "slices, alone or in a stack (2D)" if spec.ndim == 2 else "volumes (3D)"


def _scale(scales: tuple[float, float] | None) -> str:
    return f"{scales[0]:.2g} to {scales[1]:.2g} mm per pixel" if scales else "unknown"
