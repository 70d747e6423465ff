"""Results, table and figure of a comparison of augmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src_core.experiments.files import plain, write_text
from src_core.experiments.records import Record
from src_core.tasks.data import TaskData
from src_core.tasks.output import Column, draw_means, facts_of, markdown, write_results
from src_core.tasks.segmentation.measures import MEASURES
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.summary import means_of, paired_of

__all__ = ["write_report"]

_HEADS = {"dsc": "DSC", "sensitivity": "sens.", "precision": "prec."}
_OTHERS: tuple[Column, ...] = (("asd", "ASD mm", 1.0, 2), ("missed", "missed %", 100.0, 1))
#: Options that the report repeats.
_OPTIONS = ("methods", "subjects", "repeats", "times", "levels", "steps", "batch", "size", "loss",
            "rate", "seed", "device")  # fmt: skip


def write_report(
    request: SegmentationRequest,
    data: TaskData,
    labels: tuple[int, ...],
    records: Sequence[Record],
) -> dict[str, Any]:
    """Write results, table and figure of the records; returns what ``results.json`` holds."""
    means, paired = means_of(records), paired_of(records)
    facts = facts_of("segmentation", data, labels, request, _OPTIONS)
    report = plain({**facts, "measures": MEASURES, "means": means, "paired": paired})
    write_results(request.out, report, records)
    write_text(request.out / "table.md", markdown(means, _columns(labels), "dsc"))
    shown = {f"dsc {label}": f"label {label}" for label in labels} | {"dsc": "mean of labels"}
    draw_means(request.out / "results", means, shown, "DSC")
    return dict(report)


def _columns(labels: tuple[int, ...]) -> list[Column]:
    of_labels = [
        (f"{name} {label}", f"{label} {head}", 100.0, 1)
        for label in labels
        for name, head in _HEADS.items()
    ]
    return [*of_labels, *((name, f"mean {head}", 100.0, 1) for name, head in _HEADS.items()),
            *_OTHERS]  # fmt: skip
