"""What the shell shows: a progress bar on a terminal, plain lines elsewhere, tables, JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from src_core.errors.phrases import printable
from src_core.generation.verdict import fit_line, judge

__all__ = [
    "Advance",
    "print_json",
    "progress",
    "show_labels",
    "show_metrics",
    "show_points",
    "show_table",
    "tell",
]

_SILENCE = 60.0

#: Called with what is done, what there is in all, and a few words.
Advance = Callable[[int, int, str], None]


def tell(text: str) -> None:
    """A line on stderr, so that stdout holds results alone."""
    print(printable(text), file=sys.stderr)


def print_json(values: Any) -> None:
    """One JSON object on stdout."""
    print(json.dumps(values))


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar with time left on a terminal's stderr; elsewhere a line at every tenth, or minute."""
    if sys.stderr.isatty():
        yield from _bar(title)
    else:
        yield _lines(title)


def _bar(title: str) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int, words: str) -> None:
            bar.update(
                task, completed=done, total=total, description=printable(f"{title} {words}".strip())
            )

        yield advance


def _lines(title: str) -> Advance:
    tenths, last = -1, time.monotonic()

    def advance(done: int, total: int, words: str) -> None:
        nonlocal tenths, last
        tenth = 10 * done // max(total, 1)
        if tenth > tenths or time.monotonic() - last > _SILENCE:
            tenths, last = tenth, time.monotonic()
            tell(f"{title} {done}/{total} {words}".rstrip())

    return advance


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def show_metrics(metrics: dict[str, Any], unit: str = "mm") -> None:
    """The metrics people look at first, in four lines; ``unit`` is px for an unknown spacing."""
    print(
        f"level {metrics['level']}, seed {metrics['seed']}, {metrics['steps']} steps, "
        f"{metrics['model']} on {metrics['device']}, {metrics['seconds']:.1f} s"
    )
    share = f"{metrics['max_percent']:.1f} % of the side"
    print(
        f"displacement  max {metrics['max_mm']:.1f} {unit} ({share}), "
        f"mean {metrics['mean_mm']:.1f} {unit} ({metrics['mean_percent']:.1f} %)"
    )
    error = metrics.get("inverse_error_voxels")
    inverse = "" if error is None else f", inverse to {error:.1e} voxel"
    verdict = judge(metrics)
    print(
        f"determinant   smallest {metrics['min_det']:.3f}, {verdict.proof}, "
        f"guard {metrics['guard_scale']:.3f}{inverse}"
    )
    if verdict.cautions:
        print(f"caution       {'; '.join(verdict.cautions)}")
    if "fit" in metrics:
        print(f"fit           {fit_line(metrics['fit'])}")
    show_labels(metrics)
    show_targets(metrics)
    show_points(metrics)


def show_points(metrics: dict[str, Any]) -> None:
    """How far landmarks and surfaces moved, a line for each file."""
    for name, own in metrics.get("points", {}).items():
        print(
            f"{name:<13} {own['count']} points, max {own['max_mm']:.1f} mm, "
            f"mean {own['mean_mm']:.1f} mm"
        )


def show_labels(metrics: dict[str, Any]) -> None:
    """Change of each label's volume, and labels lost or split, where there are labels."""
    changes = metrics["label_volume_change"]
    if changes:
        shown = ", ".join(f"{label} {change:+.0f} %" for label, change in changes.items())
        lost = f"; lost {metrics['labels_lost']}" if metrics["labels_lost"] else ""
        split = f"; split {metrics['labels_split']}" if metrics["labels_split"] else ""
        print(f"label volume  {shown}{lost}{split}")


def show_targets(metrics: dict[str, Any]) -> None:
    """What became of each target, and how far the draws went for them."""
    for one in metrics.get("targets", ()):
        unit = "" if one["unit"] in ("", "x") else f" {one['unit']}"
        times = "x" if one["unit"] == "x" else ""
        reached = "reached" if one["within"] else f"NOT reached, {one['error']:.3g}{unit} off"
        print(
            f"target        {one['target']}: asked {times}{one['asked']:.4g}{unit}, "
            f"got {times}{one['got']:.4g}{unit}, {reached}"
        )
    if costs := metrics.get("steering"):
        print(
            f"search        {costs['rounds']} recoveries, draws {costs['distance']:.3f} from those "
            f"of the seed (rms {costs['draws_rms']:.2f})"
        )
