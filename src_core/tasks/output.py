"""What a task leaves in its folder: ``results.json``, ``results.csv``, ``table.md``, a figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from src_core.evaluation.figures import new_figure, save_figure
from src_core.evaluation.plan import Record
from src_core.experiments.journal import write_json
from src_core.io import open_atomically

__all__ = ["Column", "draw_means", "markdown", "write_results"]

#: A measure's name, its heading, a factor and decimals.
Column = tuple[str, str, float, int]

_COLOURS = ("#000000", "#999999", "#009e73", "#d55e00", "#cc79a7", "#0072b2", "#56b4e9", "#e69f00")


def write_results(folder: Path, report: dict[str, Any], records: Sequence[Record]) -> None:
    """The report, and a row for each test case, method, number of subjects, seed and measure."""
    write_json(folder / "results.json", report)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("case", "subject", "method", "subjects", "seed", "label", "metric", "value"))
    for r in records:
        for name, value in r.figures.items():
            metric, _, label = name.partition(" ")
            told = f"{value:.6g}" if isfinite(value) else ""
            writer.writerow((r.case, r.subject, r.row, r.level, r.seed, label, metric, told))
    with open_atomically(folder / "results.csv") as file:
        file.write(text.getvalue().encode())


def markdown(means: Sequence[dict[str, Any]], columns: Sequence[Column], first: str) -> str:
    """A table in Markdown: a row for each method and number, with the 95 % interval of ``first``.

    Args:
        means: as ``means_of`` has them.
        columns: what to show.
        first: the measure that is shown with its interval.
    """
    known = {(m["subjects"], m["method"], m["measure"]): m for m in means}
    rows = list(dict.fromkeys((m["subjects"], m["method"]) for m in means))
    lines = ["| subjects | method | " + " | ".join(c[1] for c in columns) + " |"]
    lines.append("| --- " * (len(columns) + 2) + "|")
    for subjects, method in rows:
        cells = [
            _cell(known.get((subjects, method, name)), factor, digits, name == first)
            for name, _, factor, digits in columns
        ]
        lines.append(f"| {subjects} | {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw_means(
    stem: Path, means: Sequence[dict[str, Any]], measures: dict[str, str], label: str
) -> None:
    """A panel for each measure: means and intervals of every method against numbers of subjects."""
    figure, axes = new_figure(1, len(measures), (2.9 * len(measures), 3.2))
    methods = list(dict.fromkeys(m["method"] for m in means))
    numbers = sorted({m["subjects"] for m in means})
    for ax, (measure, title) in zip(axes[0], measures.items(), strict=True):
        for turn, method in enumerate(methods):
            found = [m for m in means if (m["method"], m["measure"]) == (method, measure)]
            aside = (turn - (len(methods) - 1) / 2) * 0.08
            x = [numbers.index(m["subjects"]) + aside for m in found]
            y = [m["mean"] for m in found]
            error = [[m["mean"] - m["low"] for m in found], [m["high"] - m["mean"] for m in found]]
            style = {"marker": "o", "ms": 4, "capsize": 2, "lw": 1}
            ax.errorbar(x, y, error, color=_COLOURS[turn % len(_COLOURS)], label=method, **style)
        ax.set_xticks(range(len(numbers)), [str(n) for n in numbers])
        ax.set(title=title, xlabel="training subjects", xlim=(-0.6, len(numbers) - 0.4))
    axes[0, 0].set_ylabel(label)
    axes[0, -1].legend(fontsize=7, frameon=False)
    save_figure(figure, stem)


def _cell(line: dict[str, Any] | None, factor: float, digits: int, ends: bool) -> str:
    if line is None or not isfinite(line["mean"]):
        return ""
    mean, low, high = (f"{factor * line[k]:.{digits}f}" for k in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})" if ends else mean
