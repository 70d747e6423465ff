"""Figures for print: PNG and PDF, in colours that differ in lightness too (Okabe and Ito, 2008)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "new_figure", "save_figure"]

COLOURS = {
    "black": "#000000",
    "dark grey": "#555555",
    "grey": "#999999",
    "green": "#009e73",
    "vermilion": "#d55e00",
    "purple": "#cc79a7",
    "blue": "#0072b2",
    "sky blue": "#56b4e9",
    "orange": "#e69f00",
    "yellow": "#f0e442",
}


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    """A figure outside any window, and its axes (rows, columns); ``size`` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def save_figure(figure: Figure, stem: Path) -> None:
    """Write ``stem.png`` and ``stem.pdf``."""
    figure.savefig(stem.with_suffix(".png"), dpi=200)
    figure.savefig(stem.with_suffix(".pdf"))
