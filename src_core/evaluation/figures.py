"""Figures of an evaluation: magnitudes, octaves, plausibility and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src_core.drawing.figures import COLOURS, new_figure, save_figure
from src_core.evaluation.coverage_figure import coverage_figure
from src_core.evaluation.levels import Level, level_bounds, level_order
from src_core.evaluation.plausibility import shape_names
from src_core.evaluation.reference import Reference
from src_core.evaluation.rows import samples
from src_core.evaluation.summary import PAPER
from src_core.experiments.groups import Group, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_figures"]

_COLOURS = {
    "real": COLOURS["dark grey"],
    "undeformed": COLOURS["black"],
    "random": COLOURS["grey"],
    "recovered": COLOURS["vermilion"],
    "no network": COLOURS["blue"],
    "elastic": COLOURS["green"],
    "no network equal spread": COLOURS["sky blue"],
    "elastic equal spread": COLOURS["yellow"],
    "release": COLOURS["purple"],
    "registered": COLOURS["orange"],
}
_MOST_SHAPES = 12


def draw_figures(
    folder: Path, summary: dict[str, Any], groups: Sequence[Group], reference: Reference | None
) -> None:
    """Write every figure that the summary has numbers for."""
    folder.mkdir(exist_ok=True)
    save_figure(_magnitudes(summary["table1"]), folder / "magnitude")
    octaves = [m for m in summary["measures"] if m["measure"].startswith("removed")]
    if octaves:
        save_figure(_octaves(octaves), folder / "octaves")
    rows = summary["plausibility"].get("rows", [])
    known = [v for row in rows for v in (row["agreement"], *row["distances"].values())]
    if np.isfinite(known).any():
        save_figure(_plausibility(summary["plausibility"]), folder / "plausibility")
    if summary["coverage"].get("spread"):
        save_figure(coverage_figure(summary["coverage"], _COLOURS), folder / "coverage")
    if reference is not None:
        save_figure(_shapes(groups, reference), folder / "shapes")


def _magnitudes(table: Sequence[dict[str, Any]]) -> Figure:
    figure, axes = new_figure(1, 3, (10.5, 3.2))
    names = ("mean", "max", "strict")
    labels = ("mean displacement, % of the side", "largest displacement, %", "strict folds, ‰")
    for name, label, ax in zip(names, labels, axes[0], strict=True):
        for row in dict.fromkeys(r["row"] for r in table if r["level"]):
            lines = [r for r in table if r["row"] == row]
            x, y = [_place(r["level"]) for r in lines], [r[name]["mean"] for r in lines]
            deviation = [r[name]["sd"] for r in lines] if name != "strict" else None
            style = {"marker": "o", "ms": 3, "capsize": 2, "zorder": _order(row)}
            ax.errorbar(x, y, deviation, color=_COLOURS[row], label=row, **style)
        ax.set(xlabel="level", ylabel=label)
    for ax, column in zip(axes[0], (1, 0, 2), strict=True):
        values = [figures[column] for figures in PAPER.values()]
        label = "paper" + (", central" if column == 2 else "")
        ax.plot(list(PAPER), values, "k+", label=label)
    axes[0, 2].set_yscale("symlog", linthresh=0.01)
    axes[0, 2].set_ylim(bottom=0)
    for ax in (axes[0, 0], axes[0, 2]):
        ax.legend(fontsize=7, frameon=False)
    return figure


def _place(level: Level) -> float:
    """Where a level stands on an axis; a range in its middle."""
    return sum(level_bounds(level)) / 2


def _order(row: str) -> int:
    """The recovered row is drawn over the others."""
    return 3 if row == "recovered" else 2


def _octaves(measures: Sequence[dict[str, Any]]) -> Figure:
    rows = [r for r in dict.fromkeys(m["row"] for m in measures)]
    figure, axes = new_figure(1, len(rows), (3.2 * len(rows), 3))
    names = list(dict.fromkeys(m["measure"] for m in measures))
    for row, ax in zip(rows, axes[0], strict=True):
        of_row = [m for m in measures if m["row"] == row]
        levels = sorted({m["level"] for m in of_row}, key=level_order)
        for index, level in enumerate(levels):
            known = {m["measure"]: m for m in of_row if m["level"] == level}
            at = np.arange(len(names)) + (index - len(levels) / 2) * 0.8 / len(levels)
            heights = [100 * known[n]["mean"] for n in names]
            errors = [100 * known[n]["se"] for n in names]
            shade = str(0.8 - 0.7 * index / max(len(levels) - 1, 1))
            ax.bar(at, heights, 0.8 / len(levels), yerr=errors, color=shade, label=f"level {level}")
        shown = [n.replace("removed_", "").replace("removed", "all") for n in names]
        ax.set_xticks(range(len(names)), shown)
        ax.set(title=row, ylabel="removed energy, %", ylim=(-20, 100))
        ax.axhline(0, color="k", lw=0.5)
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def _plausibility(values: dict[str, Any]) -> Figure:
    """Agreement and shape distance against the level, where they were measured."""
    rows = values["rows"]
    agreement = [r["agreement"] for r in rows]
    distance = [r["distances"].get("all shapes", np.nan) for r in rows]
    panels = {"segmenter's agreement, Dice": agreement, "distance of shapes to real": distance}
    panels = {name: y for name, y in panels.items() if np.isfinite(y).any()}
    figure, axes = new_figure(1, len(panels), (3.75 * len(panels), 3.2))
    for ax, (title, y) in zip(axes[0], panels.items(), strict=True):
        ax.set(xlabel="level", ylabel=title)
        for name in dict.fromkeys(r["row"] for r in rows):
            at = [i for i, r in enumerate(rows) if r["row"] == name]
            _line(ax, name, [_place(rows[i]["level"]) for i in at], [y[i] for i in at])
    if "real_against_real" in values and np.isfinite(distance).any():
        real = values["real_against_real"]["all shapes"]
        axes[0, -1].axhline(real, color=_COLOURS["real"], ls="--", label="real against real")
    axes[0, -1].legend(fontsize=7, frameon=False)
    return figure


def _line(ax: Axes, name: str, levels: list[float], values: list[float]) -> None:
    if name == "undeformed":
        ax.axhline(values[0], color=_COLOURS[name], ls=":", label=name)
    else:
        order = _order(name)
        ax.plot(levels, values, color=_COLOURS[name], marker="o", ms=3, label=name, zorder=order)


def _shapes(groups: Sequence[Group], reference: Reference) -> Figure:
    """Distributions of the strongest level, beside the real ones."""
    names = shape_names(reference)[:_MOST_SHAPES]
    levels = [g["level"] for g in groups if g["row"] == "recovered"]
    strongest = max(levels, key=level_order, default=0)
    shown = [g for g in groups if g["row"] in _COLOURS and g["level"] in (0, strongest)]
    columns = min(4, max(len(names), 1))
    lines = -(-max(len(names), 1) // columns)
    figure, axes = new_figure(lines, columns, (2.9 * columns, 2.3 * lines))
    for name, ax in zip(names, axes.flat, strict=False):
        values = {"real": reference.shapes[name]}
        values |= {g["row"]: values_of(samples(g), name) for g in shown}
        _boxes(ax, name, values)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    figure.suptitle(f"level {strongest}", fontsize=9)
    return figure


def _boxes(ax: Axes, name: str, values: dict[str, Any]) -> None:
    known = {k: v[np.isfinite(v)] for k, v in values.items()}
    drawn = ax.boxplot(
        list(known.values()), orientation="horizontal", patch_artist=True, widths=0.7, sym="."
    )
    for box, row in zip(drawn["boxes"], known, strict=True):
        box.set(facecolor=_COLOURS[row], alpha=0.6)
    for line in drawn["medians"]:
        line.set_color("k")
    ax.set_yticks(range(1, len(known) + 1), list(known), fontsize=6)
    ax.invert_yaxis()
    ax.set_title(name, fontsize=8)
    ax.tick_params(axis="x", labelsize=6)
