"""The files of a test of targets: ``results.json``, ``results.csv``, ``table.md`` and a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from src_core.drawing.figures import COLOURS, new_figure, save_figure
from src_core.experiments.files import plain, write_text
from src_core.experiments.records import Record
from src_core.tasks.output import write_results
from src_core.tasks.steering.options import SteeringRequest
from src_core.tasks.steering.prepare import SteeringData
from src_core.tasks.steering.tables import matches, plausibility_rows, reach_rows

__all__ = ["tables_text", "write_report"]

#: Heading of each measure of plausibility, and decimals.
_PLAUSIBLE = {
    "agreement": ("segmenter agreement", 4),
    "ellipse": ("ellipse agreement", 4),
    "unevenness": ("unevenness of walls, mm", 3),
    "nearest": ("distance to the nearest real shape", 3),
    "change": ("log ratio of displacements", 3),
    "size": ("log ratio of sizes", 3),
}


def write_report(
    request: SteeringRequest, data: SteeringData, records: Sequence[Record]
) -> dict[str, Any]:
    """Write everything that follows from the records; returns the report."""
    kept = data.journal.by_key()
    impossible = sorted({f"{k[0]}: {k[1]}" for k, trial in kept.items() if not trial.records})
    report: dict[str, Any] = plain(
        {
            "task": "steering",
            "model": data.model.spec.name,
            "sha256": data.model.sha256,
            "cases": [e.name for e in data.entries],
            "real_cases": len(data.real),
            "labels": data.anatomy.labels,
            "walls": data.anatomy.walls,
            "level": request.level,
            "seeds": request.seeds,
            "impossible": impossible,
            "reached": reach_rows(records),
            "plausibility": plausibility_rows(matches(records)),
        }
    )
    write_results(request.out, report, records, ("target", "level", "seed"))
    write_text(request.out / "table.md", tables_text(report))
    _draw(request.out / "asked-got", records)
    return report


def tables_text(report: Mapping[str, Any]) -> str:
    """Both tables in Markdown."""
    parts = [_reach_table(report["reached"]), _plausibility_table(report["plausibility"])]
    if report["impossible"]:
        parts.append("Not possible: " + "; ".join(report["impossible"]) + ".\n")
    return "\n".join(part for part in parts if part)


def _reach_table(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = (
        "target", "runs", "r", "median error", "within tolerance", "all reached",
        "largest strict folding, per mille", "least guard scale", "guard unused", "rms of draws",
        "largest rms", "distance from the seed", "seconds",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for row in rows:
        percent = " %" if row["error_unit"] == "%" else ""
        cells = [
            row["target"],
            str(row["runs"]),
            _number(row["r"], 3),
            _number(row["error"], 2, percent),
            _percent(row["within"]),
            _percent(row["reached"]),
            _number(row["folds"], 3),
            _number(row["guard_scale"], 3),
            _percent(row["guard_unused"]),
            *(_number(row[n], 2) for n in ("draws_rms", "draws_rms_most", "distance", "seconds")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _plausibility_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Differences of steered and unsteered runs, with intervals; a column for each measure."""
    if not rows:
        return ""
    names = list(dict.fromkeys(row["measure"] for row in rows))
    heads = ["steered less unsteered", *map(_heading, names)]
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    known = {(row["target"], row["measure"]): row for row in rows}
    for words in dict.fromkeys(row["target"] for row in rows):
        cells = [_interval(known.get((words, name)), name) for name in names]
        lines.append("| " + " | ".join([words, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _heading(name: str) -> str:
    return _PLAUSIBLE[name.split(" ")[0]][0] + "".join(f" {v}" for v in name.split(" ")[1:])


def _interval(row: Mapping[str, Any] | None, name: str) -> str:
    if row is None:
        return ""
    digits = _PLAUSIBLE[name.split(" ")[0]][1]
    mean, low, high = (_number(row[k], digits) for k in ("difference", "low", "high"))
    return f"{mean} ({low} to {high})"


def _number(value: float | None, digits: int, after: str = "") -> str:
    return "" if value is None or not isfinite(value) else f"{value:.{digits}f}{after}"


def _percent(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{100 * value:.0f} %"


def _draw(stem: Path, records: Sequence[Record]) -> None:
    """What was asked and got of sizes: factors, each case and seed a point."""
    sizes = [r for r in records if str(r["target"]).startswith(("volume", "area"))]
    if not sizes:
        return
    figure, axes = new_figure(1, 1, (3.4, 3.2))
    colours = [COLOURS[n] for n in ("vermilion", "green", "blue", "purple", "orange")]
    labels = sorted({str(r["target"]).split(" ")[1] for r in sizes})
    for colour, label in zip(colours, labels, strict=False):
        some = [r for r in sizes if str(r["target"]).split(" ")[1] == label]
        asked = [r.figures["asked"] / r.figures["before"] for r in some]
        got = [r.figures["got"] / r.figures["before"] for r in some]
        axes[0, 0].plot(asked, got, "o", ms=3, alpha=0.5, color=colour, label=f"label {label}")
    ends = [0.5, 1.6]
    axes[0, 0].plot(ends, ends, color=COLOURS["grey"], lw=1)
    axes[0, 0].set(xlabel="asked, of the source's size", ylabel="got")
    axes[0, 0].legend(fontsize=7, frameon=False)
    save_figure(figure, stem)
