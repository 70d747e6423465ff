"""The figure of coverage: spread over seeds by that between real subjects, measure by measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from src_core.drawing.figures import new_figure
from src_core.evaluation.levels import level_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["coverage_figure"]

_INCHES = 0.28


def coverage_figure(found: Mapping[str, Any], colours: Mapping[str, str]) -> Figure:
    """A dot for each row and measure at the strongest level; 1 is the spread of real subjects.

    Args:
        found: the section ``coverage`` of an evaluation, with at least one line of spread.
        colours: of each row.
    """
    strongest = max((s["level"] for s in found["spread"]), key=level_order)
    lines = [s for s in found["spread"] if s["level"] == strongest]
    names = list(dict.fromkeys(s["measure"] for s in lines))
    figure, axes = new_figure(1, 1, (6.5, 1.2 + _INCHES * len(names)))
    ax = axes[0, 0]
    for row in dict.fromkeys(s["row"] for s in lines):
        of_row = [s for s in lines if s["row"] == row]
        at = [names.index(s["measure"]) for s in of_row]
        ax.plot([s["ratio"] for s in of_row], at, "o", ms=4, color=colours[row], label=row)
    ax.axvline(1, color="k", lw=0.5)
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.set(xlabel=f"spread over seeds / between {found['subjects']} real subjects", xlim=(0, None))
    ax.set_title(f"level {strongest}", fontsize=9)
    ax.invert_yaxis()
    ax.legend(fontsize=7, frameon=False)
    return figure
