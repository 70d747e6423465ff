"""Results, tables and figure of a comparison of augmentations."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from src_core.experiments.files import plain, write_text
from src_core.experiments.groups import Group, groups_of, measure_names
from src_core.experiments.records import Record
from src_core.tasks.output import Column, draw_means, markdown, write_results
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.intervals import difference_of, mean_interval
from src_core.tasks.segmentation.measures import MEASURES
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.segmentation.prepare import SegmentationData
from src_core.tasks.segmentation.stored import COURSE, EXTERNAL, KEYS, TEST

__all__ = ["write_report"]

_OTHERS: tuple[Column, ...] = (
    ("sensitivity", "sens.", 100.0, 1), ("precision", "prec.", 100.0, 1),
    ("asd", "ASD mm", 1.0, 2), ("missed", "missed %", 100.0, 1),
)  # fmt: skip
#: Options that the report repeats.
_OPTIONS = (
    "methods", "subjects", "subsets", "repeats", "times", "levels", "elastic_strength", "steps",
    "batch", "size", "spacing", "rate", "seed", "validate",
)  # fmt: skip
#: Methods whose differences to all others the table shows.
_COMPARED = ("drdm", "drdm+keep")
_TITLES = {TEST: "Test cases", EXTERNAL: "External cases, by the same networks"}


def write_report(
    request: SegmentationRequest,
    data: SegmentationData,
    crop: CropGrid,
    labels: tuple[int, ...],
    records: Sequence[Record],
) -> dict[str, Any]:
    """Write results, table and figure of the records; returns what ``results.json`` holds."""
    tested = {name: [r for r in records if r["tested"] == name] for name in (TEST, EXTERNAL)}
    means = {name: _means(some) for name, some in tested.items() if some}
    paired = {name: _differences(some) for name, some in tested.items() if some}
    course = _course([r for r in records if r["tested"] == COURSE])
    report = plain({
        "task": "segmentation", "model": data.model[0], "sha256": data.model[1],
        "training_cases": len(data.trained), "test_cases": list(data.tested),
        "external_cases": list(data.external), "labels": labels, "centre_mm": crop.centre,
        **{name: getattr(request, name) for name in _OPTIONS},
        "measures": MEASURES, "means": means.get(TEST, []), "paired": paired.get(TEST, []),
        "external_means": means.get(EXTERNAL, []), "external_paired": paired.get(EXTERNAL, []),
        "course": course,
    })  # fmt: skip
    measured = [r for r in records if r["tested"] != COURSE]
    write_results(request.out, report, measured, (*KEYS, "tested"))
    parts = [_part(_TITLES[name], means[name], paired[name], labels) for name in means]
    write_text(request.out / "table.md", "\n".join([*parts, _course_table(course)]))
    if TEST in means:
        shown = {f"dsc {label}": f"label {label}" for label in labels} | {"dsc": "mean of labels"}
        draw_means(request.out / "results", means[TEST], shown, "DSC")
    return dict(report)


def _grouped(records: Sequence[Record]) -> list[Group]:
    return list(groups_of(records, ("method", "subjects"), "subjects").values())


def _shown(groups: Sequence[Group]) -> list[str]:
    return [n for n in measure_names(groups) if n.split()[0] in MEASURES]


def _means(records: Sequence[Record]) -> list[dict[str, Any]]:
    groups = _grouped(records)
    return [
        {**group.keys, "measure": name, **vars(mean_interval(group.records, name))}
        for group in groups
        for name in _shown(groups)
        if not _empty(group, name)
    ]


def _empty(group: Group, name: str) -> bool:
    return not any(isfinite(r.figures[name]) for r in group.records if name in r.figures)


def _differences(records: Sequence[Record]) -> list[dict[str, Any]]:
    lines = []
    groups = _grouped(records)
    for one in groups:
        for other in groups:
            if one["subjects"] != other["subjects"] or one["method"] == other["method"]:
                continue
            if one["method"] not in _COMPARED and other["method"] in _COMPARED:
                continue
            for name in ("dsc", "asd"):
                found = difference_of(one.records, other.records, name)
                if found.trainings:
                    keys = {**one.keys, "against": other["method"], "measure": name}
                    lines.append({**keys, **vars(found)})
    return lines


def _part(
    title: str,
    means: Sequence[dict[str, Any]],
    paired: Sequence[dict[str, Any]],
    labels: tuple[int, ...],
) -> str:
    known = {m["measure"] for m in means}
    columns: list[Column] = [("dsc", "DSC", 100.0, 1)]
    columns += [(f"dsc {v}", f"DSC {v}", 100.0, 1) for v in labels if f"dsc {v}" in known]
    text = f"## {title}\n\n" + markdown(means, [*columns, *_OTHERS], "dsc")
    compared = [p for p in paired if p["method"] in _COMPARED and p["measure"] == "dsc"]
    if not compared:
        return text
    head = ("subjects", "method", "less", "DSC points", "subsets", "trainings")
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for p in compared:
        mean, low, high = (f"{100 * p[k]:+.1f}" for k in ("mean", "low", "high"))
        cells = (p["subjects"], p["method"], p["against"], f"{mean} ({low} to {high})",
                 p["subsets"], p["trainings"])  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return text + "\n### Paired differences\n\n" + "\n".join(lines) + "\n"


def _course(records: Sequence[Record]) -> list[dict[str, Any]]:
    lines = []
    for group in groups_of(records, ("method", "subjects"), "subjects").values():
        for step in sorted({int(r.case) for r in group.records}):
            own = [r for r in group.records if int(r.case) == step]
            values = {name: [r.figures[name] for r in own] for name in ("loss", "dsc")}
            means = {name: sum(v) / len(v) for name, v in values.items()}
            lines.append({**group.keys, "step": step, **means})
    return lines


def _course_table(course: Sequence[dict[str, Any]]) -> str:
    steps = sorted({line["step"] for line in course})
    head = ["subjects", "method", *map(str, steps)]
    rows: dict[tuple[Any, ...], list[str]] = {}
    for line in course:
        dice = f", {100 * line['dsc']:.1f}" if isfinite(line["dsc"]) else ""
        rows.setdefault((line["subjects"], line["method"]), []).append(f"{line['loss']:.3f}{dice}")
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    lines += ["| " + " | ".join([*map(str, key), *cells]) + " |" for key, cells in rows.items()]
    title = "## Training loss, and validation DSC, after some steps"
    return title + "\n\n" + "\n".join(lines) + "\n"
