"""The files of a task: ``results.json``, ``results.csv``, ``table.md`` and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from src_core.drawing.figures import COLOURS, new_figure, save_figure
from src_core.experiments.files import write_csv, write_json
from src_core.experiments.records import Record
from src_core.tasks.data import TaskData

__all__ = ["Column", "draw_means", "facts_of", "markdown", "write_results"]

#: A measure's name, its heading, a factor and decimals.
Column = tuple[str, str, float, int]

_COLOURS = [
    COLOURS[name]
    for name in ("black", "grey", "green", "vermilion", "purple", "blue", "sky blue", "orange")
]


def facts_of(
    task: str, data: TaskData, labels: tuple[int, ...], request: Any, options: Sequence[str]
) -> dict[str, Any]:
    """What a report begins with: the model, the cases, their labels, and these options."""
    return {
        "task": task,
        "model": data.model.spec.name,
        "sha256": data.model.sha256,
        "training_cases": len(data.trained),
        "test_cases": [e.name for e in data.tested],
        "labels": labels,
        **{name: getattr(request, name) for name in options},
    }


def write_results(
    folder: Path,
    report: dict[str, Any],
    records: Sequence[Record],
    keys: Sequence[str] = ("method", "subjects", "seed"),
) -> None:
    """The report, and a row for each record and measure, with these keys of the record.

    A measure ``dsc 3`` is the metric dsc of label 3.
    """
    write_json(folder / "results.json", report)
    rows = []
    for record in records:
        head = (record.case, record.subject, *(record[key] for key in keys))
        for name, value in record.figures.items():
            metric, _, label = name.partition(" ")
            rows.append((*head, label, metric, f"{value:.6g}" if isfinite(value) else ""))
    columns = ("case", "subject", *keys, "label", "metric", "value")
    write_csv(folder / "results.csv", columns, rows)


def markdown(
    means: Sequence[dict[str, Any]],
    columns: Sequence[Column],
    first: str,
    by: Sequence[str] = ("subjects", "method"),
) -> str:
    """A table in Markdown: a row for each group of means, with the 95 % interval of ``first``.

    Args:
        means: of ``means_of``.
        columns: what to show.
        first: the measure that is shown with its interval.
        by: the keys of the groups, a column each.
    """
    known = {(*(m[key] for key in by), m["measure"]): m for m in means}
    rows = list(dict.fromkeys(tuple(m[key] for key in by) for m in means))
    heads = [*by, *(heading for _, heading, *_ in columns)]
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for row in rows:
        cells = [
            _cell(known.get((*row, name)), factor, digits, name == first)
            for name, _, factor, digits in columns
        ]
        lines.append("| " + " | ".join([*map(str, row), *cells]) + " |")
    return "\n".join(lines) + "\n"


def draw_means(
    stem: Path, means: Sequence[dict[str, Any]], measures: dict[str, str], label: str
) -> None:
    """A panel for each measure: means and intervals of every method against numbers of subjects."""
    figure, axes = new_figure(1, len(measures), (2.9 * len(measures), 3.2))
    methods = list(dict.fromkeys(m["method"] for m in means))
    numbers = sorted({m["subjects"] for m in means})
    for ax, (measure, title) in zip(axes[0], measures.items(), strict=True):
        for index, method in enumerate(methods):
            found = [m for m in means if (m["method"], m["measure"]) == (method, measure)]
            aside = (index - (len(methods) - 1) / 2) * 0.08
            x = [numbers.index(m["subjects"]) + aside for m in found]
            y = [m["mean"] for m in found]
            error = [[m["mean"] - m["low"] for m in found], [m["high"] - m["mean"] for m in found]]
            style = {"marker": "o", "ms": 4, "capsize": 2, "lw": 1}
            ax.errorbar(x, y, error, color=_COLOURS[index % len(_COLOURS)], label=method, **style)
        ax.set_xticks(range(len(numbers)), [str(n) for n in numbers])
        ax.set(title=title, xlabel="training subjects", xlim=(-0.6, len(numbers) - 0.4))
    axes[0, 0].set_ylabel(label)
    axes[0, -1].legend(fontsize=7, frameon=False)
    save_figure(figure, stem)


def _cell(line: dict[str, Any] | None, factor: float, digits: int, interval: bool) -> str:
    if line is None or not isfinite(line["mean"]):
        return ""
    mean, low, high = (f"{factor * line[k]:.{digits}f}" for k in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})" if interval else mean
