"""A comparison in a folder: deformations, then a training and a test for each method and seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from src_core.errors import InputError
from src_core.evaluation.plan import Record, Unit
from src_core.evaluation.run import Step
from src_core.tasks.registration.losses import Loss, supervised, unsupervised
from src_core.tasks.registration.measures import figures_of, shown_units
from src_core.tasks.registration.networks import load_weights, make_network, save_weights
from src_core.tasks.registration.report import write_report
from src_core.tasks.registration.request import Job
from src_core.tasks.registration.samples import Real, Synthetic
from src_core.tasks.registration.synthetic_pairs import draw_pairs, open_pairs
from src_core.tasks.registration.training import fit
from src_core.tasks.registration.window import Laid, lay
from src_core.tasks.segmentation.stacks import labels_of
from src_core.training.hardware import Hardware, start_fabric
from src_core.transforms.live import Live

__all__ = ["run"]

_REAL = "+real"


@dataclass(frozen=True, eq=False)
class _Cases:
    """Cases of both data sets as the network sees them, and the labels that are asked for."""

    trained: list[Laid]
    tested: list[Laid]
    labels: tuple[int, ...]


def run(job: Job) -> Iterator[Step]:
    """Do it; yields progress, and leaves results, a table, a figure and ``job.report``."""
    kept = {unit.case for unit in job.journal.units}
    wanted = [unit for unit in job.units() if _key(*unit) not in kept]
    found: set[int] = set()
    for done, entry in enumerate(job.trained, start=1):
        found |= labels_of(entry)
        yield Step("labels", done, len(job.trained), entry.name)
    labels = _some(found, job.request.train)
    if wanted:
        yield from _drawn(job, wanted)
        cases = _Cases([], [], labels)
        yield from _laid(job, cases)
        for method, repeat in wanted:
            yield from _unit(job, method, repeat, cases)
    yield Step("tables and figure", 0, 1)
    write_report(job, labels)
    yield Step("tables and figure", 1, 1)


def _some(labels: set[int], where: Path) -> tuple[int, ...]:
    if not labels:
        raise InputError(
            "every label map is empty", where=str(where), expected="values above 0 in some"
        )
    return tuple(sorted(labels))


def _key(method: str, repeat: int) -> str:
    return f"{method} {repeat}"


def _drawn(job: Job, wanted: Sequence[tuple[str, int]]) -> Iterator[Step]:
    """Deformations of every training case; those there are, are kept."""
    request = job.request
    if all(method.startswith("none") for method, _ in wanted):
        return
    live, folder = Live(request.model, request.levels), _folder(job)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror or error})", where=str(folder)
        ) from error
    cases = list(zip(job.trained, job.names, strict=True))
    for done, (entry, name) in enumerate(cases, start=1):
        options = request.times, request.levels, request.seed, request.part
        draw_pairs(entry, name, folder, live, *options)
        yield Step("deformations", done, len(cases), name)


def _laid(job: Job, cases: _Cases) -> Iterator[Step]:
    total = len(job.trained) + len(job.tested)
    for entries, found, names in (
        (job.trained, cases.trained, job.names),
        (job.tested, cases.tested, [e.name for e in job.tested]),
    ):
        for entry, name in zip(entries, names, strict=True):
            found.append(lay(entry, job.model.spec, cases.labels, job.window, name))
            yield Step("cases", len(cases.trained) + len(cases.tested), total, name)


def _unit(job: Job, method: str, repeat: int, cases: _Cases) -> Iterator[Step]:
    """Train, test, and keep the records."""
    network = None
    if method != "none":
        network = make_network(job.model.spec.ndim, job.request.seed * 1000 + repeat)
        yield from _trained(job, network, method, repeat, cases)
    pairs = _pairs(job, cases.tested, job.tested_pairs())
    records = []
    for done, pair in enumerate(pairs, start=1):
        figures = figures_of(network, pair, cases.labels, job.window)
        name = f"{pair[0].name} to {pair[1].name}"
        subject = pair[1].subject
        records.append(Record(name, subject, job.subjects, repeat, method, 0, figures))
        yield Step(f"testing {method}, seed {repeat}", done, len(pairs), name)
    job.journal.add(Unit(_key(method, repeat), job.subjects, tuple(records)))


def _trained(
    job: Job, network: nn.Module, method: str, repeat: int, cases: _Cases
) -> Iterator[Step]:
    """Fit a network as the method asks, from what is kept of an earlier part of it."""
    request, kind = job.request, method.removesuffix(_REAL)
    tuned = job.request.tuning
    if kind == "none":
        tuned += request.steps
    elif not load_weights(path := _weights(job, kind, repeat), network, job.digest):
        drawn = [open_pairs(_folder(job), name, kind) for name in job.names]  # type: ignore[arg-type]
        made = Synthetic(cases.trained, drawn, job.window)
        loss = supervised(request.smooth)
        yield from _fitted(job, network, made, loss, request.steps, kind, repeat)
        save_weights(path, network, job.digest)
    if method.endswith(_REAL):
        pairs = _pairs(job, cases.trained, job.trained_pairs())
        units = [(p, u) for p, pair in enumerate(pairs) for u in shown_units(pair)]
        loss = unsupervised(request.similarity, request.smooth_real)
        real = Real(pairs, units, job.window)
        yield from _fitted(job, network, real, loss, tuned, method, repeat)
        save_weights(_weights(job, method, repeat), network, job.digest)


def _fitted(
    job: Job,
    network: nn.Module,
    pairs: Synthetic | Real,
    loss: Loss,
    steps: int,
    method: str,
    repeat: int,
) -> Iterator[Step]:
    request = job.request
    fabric = start_fabric(Hardware(request.device))
    for at in fit(
        network,
        pairs,
        loss,
        fabric,
        steps=steps,
        batch=request.batch,
        rate=request.rate,
        seed=request.seed * 1000 + repeat,
    ):
        told = f"loss {at.loss:.4f}, {at.ms:.0f} ms a step"
        yield Step(f"training {method}, seed {repeat}", at.done, at.total, told)


def _pairs(
    job: Job, laid: Sequence[Laid], numbers: Sequence[tuple[int, int]]
) -> list[tuple[Laid, Laid]]:
    pairs = [(laid[a], laid[b]) for a, b in numbers]
    for one, other in pairs:
        slices = len(one.images), len(other.images)
        if slices[0] != slices[1]:
            raise InputError(
                f"{one.name} has {slices[0]} slices and {other.name} {slices[1]}",
                option="pairs",
                expected="two cases on one grid",
            )
    return pairs


def _weights(job: Job, method: str, repeat: int) -> Path:
    return job.request.out / f"{method}-{repeat}.safetensors"


def _folder(job: Job) -> Path:
    return job.request.fields or job.request.out / "fields"
