"""An evaluation as a generator of small records: a unit is one case at one level."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.diffusion.bspline_field import elastic_ddf
from src_core.diffusion.flow import Flow
from src_core.diffusion.random_field import generator
from src_core.evaluation.anatomy import Anatomy, shape_figures
from src_core.evaluation.baseline import equal_mean_flow
from src_core.evaluation.guarded import guard_figures
from src_core.evaluation.measures import (
    displacement_percent,
    diversity,
    field_figures,
    shared_share,
)
from src_core.evaluation.octaves import octave_energies
from src_core.evaluation.plan import RELEASE_CASES, RELEASE_SEEDS, Plan, Record, Unit
from src_core.evaluation.probes import drift, drift_level, recovered, residual, sensitivity
from src_core.evaluation.segmenter import Segmenter
from src_core.evaluation.subjects import Subject, load_subject
from src_core.fields import magnitude
from src_core.generation.session import start_flow
from src_core.models.device import fixed_threads
from src_core.models.model import Model

__all__ = ["Bench", "Made", "evaluate", "make_fields"]

_ALL_STEPS = 10**6


@dataclass(frozen=True, eq=False)
class Bench:
    """What cases are held against.

    Attributes:
        segmenter: trained on real cases, or None.
        release: the published model, or None.
    """

    model: Model
    plan: Plan
    anatomy: Anatomy
    segmenter: Segmenter | None = None
    release: Model | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """One field of a case and seed.

    Attributes:
        u: (1, D, *state), state voxels.
        flow: what the guard may act on; None where it is left out (elastic is no flow).
        more: figures that are known already.
    """

    row: str
    steps: int
    u: Tensor
    flow: Flow | None
    more: dict[str, float]


def evaluate(
    bench: Bench, entries: Sequence[Entry], done: Collection[tuple[str, int]] = ()
) -> Iterator[Unit]:
    """Measure every case at every level, case by case; units in ``done`` are passed over."""
    for index, entry in enumerate(entries):
        todo = [v for v in (0, *bench.plan.levels) if (entry.name, v) not in done]
        subject: Subject | None = None
        for level in todo:
            with fixed_threads(), torch.inference_mode():
                if subject is None:
                    subject = load_subject(entry, bench.model.spec, bench.anatomy.labels)
                unit = _unit(bench, subject, level, index)
            yield unit


def _unit(bench: Bench, subject: Subject, level: int, index: int) -> Unit:
    if level == 0:
        records = list(_itself(bench, subject))
    else:
        chosen = bench if index < RELEASE_CASES else replace(bench, release=None)
        records = _at_level(chosen, subject, level)
    return Unit(subject.name, level, tuple(records))


def _itself(bench: Bench, subject: Subject) -> Iterator[Record]:
    """The undeformed case, and what recovery makes of it."""
    spec, level = bench.model.spec, drift_level(bench.model)
    still = torch.zeros(1, spec.ndim, *[spec.state] * spec.ndim)
    figures = {**field_figures(still, spec.size), **anatomy_figures(bench, subject, still)}
    figures["residual"] = residual(bench.model, subject, still, level)
    yield _record(subject, 0, 0, Made("undeformed", 0, still, None, {}), figures)
    single = displacement_percent(drift(bench.model, subject, _ALL_STEPS)[0])[1]
    for steps in bench.plan.steps:
        u = drift(bench.model, subject, steps)
        mean = displacement_percent(u[0])[1]
        told = {"drift": mean, "drift_single_levels": single}
        yield _record(subject, level, 0, Made("drift", steps, u, None, {}), told)


def _at_level(bench: Bench, subject: Subject, level: int) -> list[Record]:
    records: list[Record] = []
    fields: dict[tuple[str, int], list[Tensor]] = {}
    for seed in range(1, bench.plan.seeds + 1):
        for made in make_fields(bench, subject, level, seed):
            records.append(_record(subject, level, seed, made, measure(bench, subject, made)))
            fields.setdefault((made.row, made.steps), []).append(made.u)
    for (row, steps), these in fields.items():
        if len(these) > 1:
            told = {"shared": shared_share(these), "diversity": diversity(these)}
            records.append(_record(subject, level, 0, Made(row, steps, these[0], None, {}), told))
    return records


def make_fields(bench: Bench, subject: Subject, level: int, seed: int) -> Iterator[Made]:
    """The fields of one case, level and seed, each row's."""
    model, plan = bench.model, bench.plan
    start = start_flow(model, seed, subject.code, level=level)
    if "random" in plan.rows:
        yield Made("random", 0, start.displacement(), start, {})
    mean = 0.0
    if "recovered" in plan.rows:
        for made in _recovered(model, subject, start, level, seed, plan.steps):
            mean = mean or float(magnitude(made.u).mean())
            yield made
    if "no network" in plan.rows:
        lower = equal_mean_flow(start, mean)
        yield Made("no network", 0, lower.displacement(), lower, {})
    if "elastic" in plan.rows:
        source, points = generator(seed, subject.code, 3), plan.elastic_points
        u = elastic_ddf(start.state, model.spec.ndim, mean, source, points)
        yield Made("elastic", 0, u, None, {})
    if "release" in plan.rows and bench.release is not None and seed <= RELEASE_SEEDS:
        yield _release(bench.release, subject, level, seed)


def _recovered(
    model: Model, subject: Subject, start: Flow, level: int, seed: int, counts: Sequence[int]
) -> Iterator[Made]:
    for steps in counts:
        started = time.perf_counter()
        last = recovered(model, subject, start, level, steps)
        more = {"seconds": time.perf_counter() - started}
        u = last.displacement
        more["residual"] = residual(model, subject, u, level)
        if seed == 1:
            more |= sensitivity(model, subject, start, u, level, steps)
        yield Made("recovered", steps, u, last.flow, more)


def _release(release: Model, subject: Subject, level: int, seed: int) -> Made:
    """The published model in its own jumps, from the same random velocity.

    The guard, which it keeps busy for half a minute a field, is left out.
    """
    start = start_flow(release, seed, subject.code, level=level)
    started = time.perf_counter()
    last = recovered(release, subject, start, level, release.spec.recovery.steps)
    seconds = time.perf_counter() - started
    return Made("release", 0, last.displacement, None, {"seconds": seconds})


def measure(bench: Bench, subject: Subject, made: Made) -> dict[str, float]:
    """Every figure of one field, before the guard; what the guard leaves of it beside."""
    size, octaves = bench.model.spec.size, bench.model.spec.random_field.octaves
    before = field_figures(made.u, size)
    return {
        **before,
        **octave_energies(made.u[0], octaves),
        **(guard_figures(subject, made.u, made.flow, before, size) if made.flow else {}),
        **anatomy_figures(bench, subject, made.u),
        **made.more,
    }


def anatomy_figures(bench: Bench, subject: Subject, u: Tensor) -> dict[str, float]:
    """Shapes of the warped labels, and a segmenter's agreement with them."""
    if not bench.anatomy.labels:
        return {}
    image, labels = subject.warped(u)
    figures = shape_figures(labels, bench.anatomy, subject.mm_per_voxel)
    if bench.segmenter is not None:
        figures["agreement"] = bench.segmenter.agreement(image, labels)
    return figures


def _record(
    subject: Subject, level: int, seed: int, made: Made, figures: dict[str, float]
) -> Record:
    return Record(subject.name, subject.subject, level, seed, made.row, made.steps, figures)
