"""A whole evaluation in a folder: real cases, segmenter, every case, then tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from src_core.evaluation.field_rows import Comparison
from src_core.evaluation.law import law_table
from src_core.evaluation.prepare import PreparedEvaluation
from src_core.evaluation.reference import Reference, read_reference, training_slices
from src_core.evaluation.registered.bank import RegisteredBank, fill_bank
from src_core.evaluation.rows import rows_of
from src_core.evaluation.segmenter import (
    Segmenter,
    load_segmenter,
    pool_factor,
    save_segmenter,
    train_segmenter,
)
from src_core.evaluation.summary import summarise
from src_core.evaluation.tables import write_tables
from src_core.evaluation.trials import measure_cases
from src_core.experiments.files import plain, write_json
from src_core.experiments.records import StageProgress
from src_core.models.device import fixed_threads

__all__ = ["run"]


def run(prepared: PreparedEvaluation) -> Iterator[StageProgress]:
    """Evaluate; yields progress, and leaves tables, figures and ``prepared.report``."""
    reference, segmenter = None, None
    if prepared.anatomy.labels and prepared.real:
        spec, choice = prepared.model.spec, prepared.plan.slice
        for done, found in read_reference(prepared.real, spec, prepared.anatomy, choice):
            reference = found
            yield StageProgress("real cases", done, len(prepared.real))
    if "agreement" not in prepared.absent:
        for step, trained in _segmenter(prepared):
            segmenter = trained
            yield step
    yield from _registered(prepared)
    between, state = prepared.registered, prepared.model.spec.state
    bank = None if between is None else RegisteredBank(between, state)
    comparison = Comparison(
        prepared.model, prepared.plan, prepared.anatomy, segmenter, prepared.release, bank
    )
    yield from _measured(prepared, comparison)
    yield StageProgress("tables and figures", 0, 1)
    report = _report(prepared, reference)
    _write(prepared, comparison, report, reference)
    prepared.report = plain(report)
    yield StageProgress("tables and figures", 1, 1)


def _registered(prepared: PreparedEvaluation) -> Iterator[StageProgress]:
    """The fields between real subjects that the bank lacks."""
    if prepared.registered is None:
        return
    total, entries = len(prepared.registered.pairs), prepared.real or prepared.entries
    spec, choice = prepared.model.spec, prepared.plan.slice
    for done in fill_bank(prepared.registered, entries, spec, choice):
        yield StageProgress("registered fields", done, total)


def _measured(prepared: PreparedEvaluation, comparison: Comparison) -> Iterator[StageProgress]:
    """The trials that the journal lacks."""
    journal, total = prepared.journal, len(prepared.entries) * (1 + len(prepared.plan.levels))
    finished = set(journal.by_key())
    yield StageProgress("cases", len(finished), total)
    for trial in measure_cases(comparison, prepared.entries, finished):
        journal.add(trial)
        case, level = trial.key
        yield StageProgress("cases", len(journal.trials), total, f"{case} level {level}")


def _report(prepared: PreparedEvaluation, reference: Reference | None) -> dict[str, Any]:
    records, ndim = prepared.journal.records(), prepared.model.spec.ndim
    found = summarise(records, prepared.plan, prepared.anatomy, reference, ndim)
    redundancy = prepared.model.spec.recovery.redundancy
    spread = found["coverage"].get("spread", [])
    return {
        "model": prepared.model.spec.name,
        "sha256": prepared.model.sha256,
        "device": str(prepared.model.device),
        "plan": prepared.plan.model_dump(),
        "cases": [e.name for e in prepared.entries],
        "reference_cases": len(prepared.real),
        "labels": prepared.anatomy.labels,
        "walls": prepared.anatomy.walls,
        "absent": prepared.absent,
        **found,
        "law": law_table(spread, redundancy, prepared.training_spreads),
    }


def _write(
    prepared: PreparedEvaluation,
    comparison: Comparison,
    report: dict[str, Any],
    reference: Reference | None,
) -> None:
    from src_core.evaluation.figures import draw_figures
    from src_core.evaluation.pictures import draw_pictures

    folder, main = prepared.request.out, prepared.plan.steps[0]
    write_json(folder / "evaluation.json", report)
    write_tables(folder, report)
    groups = rows_of(prepared.journal.records()).values()
    shown = [g for g in groups if g["steps"] in (0, main)]
    draw_figures(folder / "figures", report, shown, reference)
    draw_pictures(folder / "figures", comparison, prepared.entries, prepared.plan.levels[-1])


def _segmenter(prepared: PreparedEvaluation) -> Iterator[tuple[StageProgress, Segmenter]]:
    """The segmenter of the option, that of the folder, or one trained now and saved there."""
    request, labels = prepared.request, prepared.anatomy.labels
    factor, path = pool_factor(prepared.model.spec.size), request.out / "segmenter.safetensors"
    known = request.segmenter or (path if request.resume and path.is_file() else None)
    if known is not None:
        yield StageProgress("segmenter", 1, 1), load_segmenter(known, labels, factor)
        return
    images, classes = training_slices(prepared.real, prepared.model.spec, labels)
    batches, made = request.segmenter_batches, None
    with fixed_threads():
        for done, made in train_segmenter(images, classes, labels, factor, batches):
            yield StageProgress("segmenter", done, batches), made
    if made is not None:
        save_segmenter(path, made, {"cases": len(prepared.real), "batches": batches})
