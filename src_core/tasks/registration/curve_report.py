"""Training curves in a report: a CSV, a figure, and a table of the last stage's quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from src_core.drawing.figures import COLOURS, new_figure, save_figure
from src_core.experiments.files import write_csv
from src_core.experiments.statistics import finite_mean
from src_core.tasks.registration.curves import CurvePoint

__all__ = ["draw_curves", "quarters", "write_curves"]

_COLOURS = {
    "mrbs": COLOURS["vermilion"],
    "drdm": COLOURS["blue"],
    "none": COLOURS["black"],
}
_STYLES = {"": "-", "real": "-", "mixed": "--"}
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def write_curves(folder: Path, points: Sequence[CurvePoint]) -> None:
    """``curves.csv``, ``curves.png`` and ``curves.pdf``; nothing without points."""
    if not points:
        return
    columns = [field.name for field in fields(CurvePoint)]
    rows = [["" if v is None else v for v in asdict(point).values()] for point in points]
    write_csv(folder / "curves.csv", columns, rows)
    draw_curves(folder / "curves", points)


def draw_curves(stem: Path, points: Sequence[CurvePoint]) -> None:
    """Validation Dice, folding and loss against training steps: a line for each network."""
    shown = {"dsc": "validation Dice", "central": "validation: central folds, ‰", "loss": "loss"}
    figure, axes = new_figure(1, len(shown), (3.4 * len(shown), 3.2))
    for ax, (name, title) in zip(axes[0], shown.items(), strict=True):
        seen = set[str]()
        for method, seed in dict.fromkeys((p.method, p.seed) for p in points):
            own = [p for p in points if (p.method, p.seed) == (method, seed)]
            known = [(p.step, getattr(p, name)) for p in own if getattr(p, name) is not None]
            kind, _, tuned = method.partition("+")
            style = {"color": _COLOURS[kind], "ls": _STYLES[tuned], "lw": 1 if tuned else 2}
            label = "_" if method in seen else method
            seen.add(method)
            if known:
                ax.plot(*zip(*known, strict=True), alpha=0.8, label=label, **style)
        ax.set(title=title, xlabel="training steps")
    axes[0, -1].set_yscale("log")
    if axes[0, 0].lines:
        axes[0, 0].legend(fontsize=7, frameon=False)
    save_figure(figure, stem)


def quarters(points: Sequence[CurvePoint]) -> str:
    """A table in Markdown: validation Dice at each quarter of a method's last stage.

    Means over the repeats that have come so far; "" without validation pairs. The last two columns
    are central folding half-way and at the end.
    """
    rows = []
    for method in dict.fromkeys(p.method for p in points if p.dsc is not None):
        of_seeds = _of_seeds([p for p in points if p.method == method])
        dice = [_mean(of_seeds, fraction, "dsc", 100) for fraction in _QUARTERS]
        folds = [_mean(of_seeds, fraction, "central", 1) for fraction in (0.5, 1.0)]
        first, last = of_seeds[0][0].step, max(points[-1].step for points in of_seeds)
        cells = [method, f"{first} to {last}", *(f"{v:.1f}" for v in dice)]
        rows.append([*cells, *(f"{v:.2f}" for v in folds)])
    if not rows:
        return ""
    heads = ["validation", "steps", "DSC at the start", "1/4", "1/2", "3/4", "end"]
    heads += ["central folds ‰, 1/2", "end"]
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _of_seeds(points: Sequence[CurvePoint]) -> list[list[CurvePoint]]:
    seeds = dict.fromkeys(p.seed for p in points)
    return [[p for p in points if p.seed == seed] for seed in seeds]


def _mean(of_seeds: Sequence[Sequence[CurvePoint]], fraction: float, name: str, by: float) -> float:
    """Over repeats, each at the point nearest to a fraction of its steps."""
    values: list[Any] = []
    for points in of_seeds:
        wanted = points[0].step + fraction * (points[-1].step - points[0].step)
        values.append(getattr(min(points, key=lambda p: abs(p.step - wanted)), name))
    return by * finite_mean([v for v in values if v is not None])
