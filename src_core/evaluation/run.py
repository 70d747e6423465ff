"""A whole evaluation in a folder: real subjects, segmenter, every case, then tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from src_core.evaluation.reference import Reference, read_reference, training_slices
from src_core.evaluation.request import Job
from src_core.evaluation.runner import Bench, evaluate
from src_core.evaluation.segmenter import (
    Segmenter,
    load_segmenter,
    pool_factor,
    save_segmenter,
    train_segmenter,
)
from src_core.evaluation.summary import summarise
from src_core.evaluation.tables import write_tables
from src_core.experiments.groups import groups_of
from src_core.experiments.journal import plain, write_json
from src_core.models.device import fixed_threads

__all__ = ["Step", "run"]


@dataclass(frozen=True)
class Step:
    """Progress of a stage: so many of so many."""

    stage: str
    done: int
    total: int
    words: str = ""


def run(job: Job) -> Iterator[Step]:
    """Do it; yields progress, and leaves tables, figures and ``job.report``."""
    reference, segmenter = None, None
    if job.anatomy.labels and job.real:
        for done, found in read_reference(job.real, job.model.spec, job.anatomy):
            reference = found
            yield Step("real cases", done, len(job.real))
    if "agreement" not in job.absent:
        for step, trained in _segmenter(job):
            segmenter = trained
            yield step
    bench = Bench(job.model, job.plan, job.anatomy, segmenter, job.release)
    total = len(job.entries) * (1 + len(job.plan.levels))
    finished = {unit.key for unit in job.journal.units}
    yield Step("cases", len(finished), total)
    for unit in evaluate(bench, job.entries, finished):
        job.journal.add(unit)
        yield Step("cases", len(job.journal.units), total, f"{unit.case} level {unit.level}")
    yield Step("tables and figures", 0, 1)
    report = _report(job, reference)
    _write(job, bench, report, reference)
    job.report = plain(report)
    yield Step("tables and figures", 1, 1)


def _report(job: Job, reference: Reference | None) -> dict[str, Any]:
    return {
        "model": job.model.spec.name,
        "sha256": job.model.sha256,
        "device": str(job.model.device),
        "plan": job.plan.model_dump(),
        "cases": [e.name for e in job.entries],
        "reference_cases": len(job.real),
        "labels": job.anatomy.labels,
        "walls": job.anatomy.walls,
        "absent": job.absent,
        **summarise(job.journal.records(), job.plan, job.anatomy, reference),
    }


def _write(job: Job, bench: Bench, report: dict[str, Any], reference: Reference | None) -> None:
    from src_core.evaluation.figures import draw_figures
    from src_core.evaluation.pictures import draw_pictures

    folder, main = job.request.out, job.plan.steps[0]
    write_json(folder / "evaluation.json", report)
    write_tables(folder, report)
    groups = [g for g in groups_of(job.journal.records()).values() if g.steps in (0, main)]
    draw_figures(folder / "figures", report, groups, reference)
    draw_pictures(folder / "figures", bench, job.entries, job.plan.levels[-1])


def _segmenter(job: Job) -> Iterator[tuple[Step, Segmenter]]:
    """That of the option, that of the folder, or one trained now and left in the folder."""
    labels, factor = job.anatomy.labels, pool_factor(job.model.spec.size)
    place = job.request.out / "segmenter.safetensors"
    known = job.request.segmenter or (place if job.request.resume and place.is_file() else None)
    if known is not None:
        yield Step("segmenter", 1, 1), load_segmenter(known, labels, factor)
        return
    images, classes = training_slices(job.real, job.model.spec, labels)
    batches, made = job.request.segmenter_batches, None
    with fixed_threads():
        for done, made in train_segmenter(images, classes, labels, factor, batches):
            yield Step("segmenter", done, batches), made
    if made is not None:
        save_segmenter(place, made, {"cases": len(job.real), "batches": batches})
