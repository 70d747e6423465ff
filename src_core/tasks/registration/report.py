"""Results, tables and figures of a comparison of registration networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from src_core.experiments.files import plain, write_text
from src_core.experiments.records import Record
from src_core.tasks.output import Column, draw_means, markdown, write_results
from src_core.tasks.registration.curve_report import quarters, write_curves
from src_core.tasks.registration.curves import CurvePoint
from src_core.tasks.registration.measures import FIELD_MEASURES, LABEL_MEASURES
from src_core.tasks.summary import means_of, paired_of

__all__ = ["COMPUTED", "OPTIONS", "write_report"]

_COLUMNS: tuple[Column, ...] = (
    ("dsc", "DSC", 100.0, 1),
    ("asd_voxels", "ASD vox", 1.0, 2),
    ("hd_voxels", "HD vox", 1.0, 2),
    ("asd_mm", "ASD mm", 1.0, 2),
    ("hd_mm", "HD mm", 1.0, 2),
    ("central", "central folds ‰", 1.0, 2),
    ("strict", "strict folds ‰", 1.0, 2),
    ("mean_mm", "mean mm", 1.0, 2),
)
_PAIRED = ("dsc", "asd_mm", "hd_mm", "central", "strict")
_COMPARED = (
    ("mrbs", "none"),
    ("drdm", "none"),
    ("drdm", "mrbs"),
    ("drdm+real", "none+real"),
    ("drdm+real", "mrbs+real"),
    ("mrbs+mixed", "mrbs+real"),
    ("drdm+mixed", "drdm+real"),
    ("drdm+mixed", "none+real"),
    ("drdm+mixed", "mrbs+real"),
    ("drdm+mixed", "mrbs+mixed"),
)
_SHOWN = {"dsc": "DSC", "asd_mm": "ASD, mm", "hd_mm": "HD, mm", "central": "central folds, ‰"}
#: Options that the report repeats.
OPTIONS = ("pairs", "times", "levels", "variety", "steps", "tuning", "batch", "rate",
            "similarity", "smooth", "smooth_real", "mixing", "size", "part", "seed", "repeats",
            "methods", "device", "precision")  # fmt: skip
#: What the report says after its facts.
COMPUTED = ("measures", "means", "paired", "curves")


def write_report(
    folder: Path,
    facts: dict[str, Any],
    records: Sequence[Record],
    curves: Sequence[CurvePoint],
) -> dict[str, Any]:
    """Write results, tables and figures; returns what ``results.json`` holds.

    Args:
        facts: what it begins with, ``labels`` among them.
    """
    means, paired, labels = means_of(records), paired_of(records), facts["labels"]
    measures = (*LABEL_MEASURES, *FIELD_MEASURES)
    points = [asdict(point) for point in curves]
    lines = dict(zip(COMPUTED, (measures, means, paired, points), strict=True))
    report = plain({**facts, **lines})
    write_results(folder, report, records, ("method", "subjects", "seed", "steps"))
    write_curves(folder, curves)
    of_labels = [(f"dsc {label}", f"{label} DSC", 100.0, 1) for label in labels]
    tables = [
        markdown(means, [*of_labels, *_COLUMNS], "dsc"),
        _differences(paired),
        quarters(curves),
    ]
    write_text(folder / "table.md", "\n".join(filter(None, tables)))
    draw_means(folder / "results", means, _SHOWN, "mean over labels")
    return dict(report)


def _differences(paired: Sequence[dict[str, Any]]) -> str:
    """A table in Markdown of differences between methods; "" where there is one method alone."""
    known = {(p["method"], p["against"], p["measure"]): p for p in paired}
    columns = [c for c in _COLUMNS if c[0] in _PAIRED]
    rows = [
        f"| {one} less {other} | "
        + " | ".join(_difference(known[one, other, c[0]], c) for c in columns)
        for one, other in _COMPARED
        if (one, other, "dsc") in known
    ]
    head = "| difference | " + " | ".join(c[1] for c in columns)
    lines = [head, "| " + " | ".join(["---"] * (len(columns) + 1)), *rows]
    return "".join(f"{line} |\n" for line in lines) if rows else ""


def _difference(line: dict[str, Any], column: Column) -> str:
    _, _, factor, digits = column
    mean, low, high = (factor * line[k] for k in ("difference", "low", "high"))
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
