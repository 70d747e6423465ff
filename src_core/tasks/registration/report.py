"""What a comparison of registration networks leaves: tables, a figure and ``job.report``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src_core.evaluation.plan import Record
from src_core.experiments.journal import plain
from src_core.io import open_atomically
from src_core.tasks.output import Column, draw_means, markdown, write_results
from src_core.tasks.registration.measures import FIELD_MEASURES, LABEL_MEASURES
from src_core.tasks.registration.request import Job
from src_core.tasks.summary import means_of, paired_of

__all__ = ["write_report"]

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
_PAIRED = ("dsc", "asd_mm", "hd_mm", "central")
_COMPARED = (
    ("mrbs", "none"),
    ("drdm", "none"),
    ("drdm", "mrbs"),
    ("drdm+real", "none+real"),
    ("drdm+real", "mrbs+real"),
)
_SHOWN = {"dsc": "DSC", "asd_mm": "ASD, mm", "hd_mm": "HD, mm", "central": "central folds, ‰"}
_TOLD = ("pairs", "times", "levels", "steps", "tuning", "batch", "rate", "similarity", "smooth",
         "smooth_real", "size", "part", "seed", "repeats", "methods", "device")  # fmt: skip


def write_report(job: Job, labels: tuple[int, ...]) -> None:
    """Write results, table and figure of all methods that were asked for."""
    request, records = job.request, _records(job)
    means, paired = means_of(records), paired_of(records)
    facts = {
        "task": "registration",
        "model": job.model.spec.name,
        "sha256": job.model.sha256,
        "training_cases": len(job.trained),
        "test_cases": [e.name for e in job.tested],
        "labels": labels,
        **{name: getattr(request, name) for name in _TOLD},
    }
    measures = (*LABEL_MEASURES, *FIELD_MEASURES)
    job.report = plain({**facts, "measures": measures, "means": means, "paired": paired})
    write_results(request.out, job.report, records)
    of_labels = [(f"dsc {label}", f"{label} DSC", 100.0, 1) for label in labels]
    tables = [markdown(means, [*of_labels, *_COLUMNS], "dsc"), _differences(paired)]
    with open_atomically(request.out / "table.md") as file:
        file.write("\n".join(filter(None, tables)).encode())
    draw_means(request.out / "results", means, _SHOWN, "mean over labels")


def _differences(paired: Sequence[dict[str, Any]]) -> str:
    """A table in Markdown of what DRDM's pairs gain, with intervals; "" where they are alone."""
    known = {(p["method"], p["against"], p["measure"]): p for p in paired}
    columns = [c for c in _COLUMNS if c[0] in _PAIRED]
    rows = [
        f"| {one} less {other} | " + " | ".join(_told(known[one, other, c[0]], c) for c in columns)
        for one, other in _COMPARED
        if (one, other, "dsc") in known
    ]
    head = "| difference | " + " | ".join(c[1] for c in columns)
    lines = [head, "| " + " | ".join(["---"] * (len(columns) + 1)), *rows]
    return "".join(f"{line} |\n" for line in lines) if rows else ""


def _told(line: dict[str, Any], column: Column) -> str:
    _, _, factor, digits = column
    mean, low, high = (factor * line[k] for k in ("difference", "low", "high"))
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _records(job: Job) -> list[Record]:
    """Of the trainings that were asked for, in their order."""
    kept = {unit.case: unit for unit in job.journal.units}
    return [r for method, repeat in job.units() for r in kept[f"{method} {repeat}"].records]
