"""Sizes of labels before and after, as text and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.drawing.pages import html_swatch, html_table
from src_core.drawing.planes import length_unit

__all__ = ["change_text", "label_rows", "size_unit", "size_word"]


def size_unit(case: Case) -> tuple[str, float]:
    """The unit of sizes in a case, and how many of it a millilitre is: mm² of a single slice."""
    grid, length = case.grid, length_unit(case)
    thin = [axis for axis, count in enumerate(grid.shape) if count == 1]
    if thin:
        return f"{length}²", 1000 / grid.spacing[thin[-1]]
    return ("ml", 1.0) if length == "mm" else ("voxels", 1000.0)


def size_word(grid: Grid) -> str:
    """What sizes on a grid are: volumes, or areas in a single slice."""
    return "area" if 1 in grid.shape else "volume"


def change_text(change: float) -> str:
    """A change in percent, such as ``+12``, with a true minus sign."""
    return f"{change:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")


def label_rows(
    source: Case, metrics: Mapping[str, Any], names: Mapping[int, str], colours: Mapping[int, str]
) -> str:
    """A table in HTML; nothing where there are no labels."""
    sizes = metrics.get("label_volume_ml", {})
    if not sizes:
        return ""
    unit, factor = size_unit(source)
    rows = []
    for value, (before, after) in sizes.items():
        label, change = int(value), metrics["label_volume_change"][value]
        swatch = html_swatch(colours.get(label, "#fff"))
        lost = " (lost)" if label in metrics.get("labels_lost", ()) else ""
        split = " (split)" if label in metrics.get("labels_split", ()) else ""
        rows.append(
            (
                f"{swatch}{escape(names.get(label, f'label {label}'))}{lost}{split}",
                f"{before * factor:.4g} {unit}",
                f"{after * factor:.4g} {unit}",
                f"{change_text(change)} %",
            )
        )
    return html_table(("label", "source", "new", "change"), rows, numbers=3)
