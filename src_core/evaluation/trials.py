"""The trials of an evaluation: every figure of one case at one level, in records.

Level 0 is the undeformed case, and its recovery.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.evaluation.after_guard import guard_figures
from src_core.evaluation.anatomy import shape_figures
from src_core.evaluation.cases import EvaluatedCase, load_case
from src_core.evaluation.equal_spread import equal_spread_fields, size_spread
from src_core.evaluation.field_rows import Comparison, RowField, row_fields
from src_core.evaluation.levels import Level, drawn_level
from src_core.evaluation.measures import (
    displacement_percent,
    diversity,
    field_figures,
    shared_share,
)
from src_core.evaluation.modes import mode_figures
from src_core.evaluation.octaves import octave_energies
from src_core.evaluation.plan import RELEASE_CASES
from src_core.evaluation.pose import pose_figures
from src_core.evaluation.probes import drift, drift_level, residual
from src_core.evaluation.regularity import regularity_figures
from src_core.experiments.records import Key, Record, Trial, TrialKey
from src_core.models.device import fixed_threads

__all__ = ["measure_cases"]

_ALL_STEPS = 10**6


def measure_cases(
    comparison: Comparison, entries: Sequence[Entry], done: Collection[TrialKey] = ()
) -> Iterator[Trial]:
    """Measure every case at every level, case by case; trials in ``done`` are skipped."""
    for index, entry in enumerate(entries):
        case: EvaluatedCase | None = None
        for level in (0, *comparison.plan.levels):
            if (entry.name, level) in done:
                continue
            with fixed_threads(), torch.inference_mode():
                if case is None:
                    case = _loaded(comparison, entry)
                trial = _trial(comparison, case, level, index)
            yield trial


def _loaded(comparison: Comparison, entry: Entry) -> EvaluatedCase:
    labels, choice = comparison.anatomy.labels, comparison.plan.slice
    return load_case(entry, comparison.model.spec, labels, choice)


def _trial(comparison: Comparison, case: EvaluatedCase, level: Level, index: int) -> Trial:
    if level == 0:
        records = list(_undeformed(comparison, case))
    else:
        chosen = comparison if index < RELEASE_CASES else replace(comparison, release=None)
        records = _at_level(chosen, case, level)
    return Trial({"case": case.name, "level": level}, tuple(records))


def _undeformed(comparison: Comparison, case: EvaluatedCase) -> Iterator[Record]:
    """Records of the undeformed case, and of its recovery."""
    model, level = comparison.model, drift_level(comparison.model)
    still = torch.zeros(1, model.spec.ndim, *[model.spec.state] * model.spec.ndim)
    figures = {**field_figures(still, model.spec.size), **_anatomy(comparison, case, still)}
    figures["residual"] = residual(model, case, still, level)
    yield _record(case, 0, 0, "undeformed", 0, figures)
    single = displacement_percent(drift(model, case, _ALL_STEPS)[0])[1]
    for steps in comparison.plan.steps:
        mean = displacement_percent(drift(model, case, steps)[0])[1]
        figures = {"drift": mean, "drift_single_levels": single}
        yield _record(case, level, 0, "drift", steps, figures)


def _at_level(comparison: Comparison, case: EvaluatedCase, level: Level) -> list[Record]:
    records: list[Record] = []
    fields: dict[tuple[str, int], list[Tensor]] = {}
    for seed, made in _fields(comparison, case, level, records):
        figures = _figures(comparison, case, made)
        if isinstance(level, str):
            figures["drawn_level"] = float(drawn_level(level, seed, case.code))
        records.append(_record(case, level, seed, made.row, made.steps, figures))
        fields.setdefault((made.row, made.steps), []).append(made.u)
    for (row, steps), displacements in fields.items():
        if len(displacements) > 1:
            figures = {
                "shared": shared_share(displacements),
                "diversity": diversity(displacements),
                **mode_figures([u[0].numpy() for u in displacements]),
            }
            if comparison.anatomy.labels:
                single = [r.figures for r in _of_row(records, row, steps)]
                figures["size_spread"] = size_spread(single, comparison.anatomy)
            records.append(_record(case, level, 0, row, steps, figures))
    return records


def _fields(
    comparison: Comparison, case: EvaluatedCase, level: Level, records: Sequence[Record]
) -> Iterator[tuple[int, RowField]]:
    """Seed and field of every row; those of equal spread once the records have the others."""
    for seed in range(1, comparison.plan.seeds + 1):
        for made in row_fields(comparison, case, drawn_level(level, seed, case.code), seed):
            yield seed, made
    recovered = _of_row(records, "recovered", comparison.plan.steps[0])
    if comparison.anatomy.labels and comparison.plan.seeds > 1:
        yield from equal_spread_fields(comparison, case, level, recovered)


def _of_row(records: Sequence[Record], row: str, steps: int) -> list[Record]:
    return [r for r in records if (r["row"], r["steps"]) == (row, steps) and r["seed"]]


def _figures(comparison: Comparison, case: EvaluatedCase, made: RowField) -> dict[str, float]:
    """Every figure of one field, before and after the guard."""
    spec = comparison.model.spec
    before = field_figures(made.u, spec.size)
    after = guard_figures(case, made.u, made.flow, before, spec.size) if made.flow else {}
    return {
        **before,
        **regularity_figures(made.u, spec.size),
        **octave_energies(made.u[0], spec.random_field.octaves),
        **after,
        **_anatomy(comparison, case, made.u),
        **made.figures,
    }


def _anatomy(comparison: Comparison, case: EvaluatedCase, u: Tensor) -> dict[str, float]:
    """Shapes of the warped labels, and a segmenter's agreement with them."""
    if not comparison.anatomy.labels:
        return {}
    image, labels = case.warped(u)
    figures = shape_figures(labels, comparison.anatomy, case.mm_per_voxel)
    figures |= pose_figures(labels, comparison.anatomy, case.mm_per_voxel)
    if comparison.segmenter is not None:
        figures["agreement"] = comparison.segmenter.agreement(image, labels)
    return figures


def _record(
    case: EvaluatedCase, level: Level, seed: int, row: str, steps: int, figures: dict[str, float]
) -> Record:
    """A record of one field, or of all seeds of a case (seed 0); 0 steps without recovery."""
    keys: dict[str, Key] = {"level": level, "seed": seed, "row": row, "steps": steps}
    return Record(case.name, case.subject, keys, figures)
