"""A comparison in a folder: fields, then a training and a test for each method, seed and number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.evaluation.plan import Record, Unit
from src_core.evaluation.run import Step
from src_core.experiments.journal import plain
from src_core.io import open_atomically, read_case
from src_core.tasks.common import of_subjects
from src_core.tasks.output import draw_means, markdown, write_results
from src_core.tasks.segmentation.measures import MEASURES, figures_of
from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.network import predict, train
from src_core.tasks.segmentation.request import Job
from src_core.tasks.segmentation.stacks import Stack, labels_of, read_stack
from src_core.tasks.segmentation.training_slices import Pool
from src_core.tasks.summary import means_of, paired_of
from src_core.transforms import Bank, Live, make_bank

__all__ = ["run"]

_HEADS = {"dsc": "DSC", "sensitivity": "sens.", "precision": "prec."}


def run(job: Job) -> Iterator[Step]:
    """Do it; yields progress, and leaves results, a table, a figure and ``job.report``.

    They are written anew after each training.
    """
    request, kept = job.request, {unit.key for unit in job.journal.units}
    wanted = [u for u in job.units() if (f"{u[0]} {u[1]}", u[2]) not in kept]
    found: set[int] = set()
    for done, entry in enumerate(job.trained, start=1):
        found |= labels_of(entry)
        yield Step("labels", done, len(job.trained), entry.name)
    labels = _some(found, request.train)
    yield from _fields(job, wanted)
    spec = job.model.spec.model_copy(update={"size": request.size})
    read: dict[str, Stack] = {}
    for done, entry in enumerate(needed := _entries(job, wanted), start=1):
        name = job.names.get(entry.image, entry.name)
        read[str(entry.image)] = read_stack(entry, name, spec, labels)
        yield Step("cases", done, len(needed), name)
    for method, repeat, count in wanted:
        mine = [read[str(e.image)] for e in of_subjects(job.trained, count)]
        tests = [read[str(e.image)] for e in job.tested]
        yield from _unit(job, (method, repeat, count), mine, tests, labels)
        _write(job, labels)
    _write(job, labels)


def _some(labels: set[int], where: Path) -> tuple[int, ...]:
    if not labels:
        raise InputError(
            "every label map is empty", where=str(where), expected="values above 0 in some"
        )
    return tuple(sorted(labels))


def _fields(job: Job, wanted: Sequence[tuple[str, int, int]]) -> Iterator[Step]:
    """Deformations of every case that a method needs them of; those there are, are kept."""
    request = job.request
    counts = [count for method, _, count in wanted if METHODS[method].by_fields]
    if not counts:
        return
    live = Live(request.model, request.levels)
    cases, folder = of_subjects(job.trained, max(counts)), _folder(job)
    for done, entry in enumerate(cases, start=1):
        case = {job.names[entry.image]: read_case(entry.image, None)}
        for stored in make_bank(case, folder, live, per_case=request.times, seed=request.seed):
            if stored.state == "failed":
                raise InputError(stored.message, where=str(entry.image))
            yield Step("fields", done, len(cases), stored.name)


def _folder(job: Job) -> Path:
    return job.request.fields or job.request.out / "fields"


def _entries(job: Job, wanted: Sequence[tuple[str, int, int]]) -> list[Entry]:
    if not wanted:
        return []
    return of_subjects(job.trained, max(count for *_, count in wanted)) + job.tested


def _unit(
    job: Job,
    unit: tuple[str, int, int],
    stacks: Sequence[Stack],
    tests: Sequence[Stack],
    labels: tuple[int, ...],
) -> Iterator[Step]:
    """Train, test, and keep the records."""
    (method, repeat, count), request = unit, job.request
    chosen = METHODS[method]
    bank = Bank(_folder(job)) if chosen.by_fields else None
    pool = Pool(chosen, stacks, len(labels), bank, request.seed)
    words = f"{method}, {count} subjects, seed {repeat}"
    trained = train(
        pool,
        len(labels),
        times=request.times,
        steps=request.steps,
        batch=request.batch,
        seed=request.seed * 1000 + repeat,
        loss=request.loss,
        rate=request.rate,
        device=request.device,
    )
    made = None
    for done, loss, network in trained:
        made = network
        yield Step(f"training {words}", done, request.steps, f"loss {loss:.4f}")
    assert made is not None
    records = []
    for done, test in enumerate(tests, start=1):
        seen = predict(made, test.images)
        figures = figures_of(seen, test.classes, labels, test.spacing)
        records.append(
            Record(test.name, test.subject, count, repeat, method, request.steps, figures)
        )
        yield Step(f"testing {words}", done, len(tests), test.name)
    job.journal.add(Unit(f"{method} {repeat}", count, tuple(records)))


def _write(job: Job, labels: tuple[int, ...]) -> None:
    request, records = job.request, _records(job)
    means, paired = means_of(records), paired_of(records)
    facts = {
        "task": "segmentation",
        "model": job.model.spec.name,
        "sha256": job.model.sha256,
        "training_cases": len(job.trained),
        "test_cases": [e.name for e in job.tested],
        "labels": labels,
        **{name: getattr(request, name) for name in ("methods", "subjects", "repeats")},
        **{name: getattr(request, name) for name in ("times", "levels", "steps", "batch")},
        **{name: getattr(request, name) for name in ("size", "loss", "rate", "seed", "device")},
    }
    job.report = plain({**facts, "measures": MEASURES, "means": means, "paired": paired})
    write_results(request.out, job.report, records)
    of_labels = [
        (f"{name} {label}", f"{label} {_HEADS[name]}", 100.0, 1)
        for label in labels
        for name in _HEADS
    ]
    of_all = [(name, f"mean {head}", 100.0, 1) for name, head in _HEADS.items()]
    more = [("asd", "ASD mm", 1.0, 2), ("missed", "missed %", 100.0, 1)]
    with open_atomically(request.out / "table.md") as file:
        file.write(markdown(means, [*of_labels, *of_all, *more], "dsc").encode())
    shown = {f"dsc {label}": f"label {label}" for label in labels} | {"dsc": "mean of labels"}
    draw_means(request.out / "results", means, shown, "DSC")


def _records(job: Job) -> list[Record]:
    """Of the trainings that were asked for and are there, in their order."""
    kept = {unit.key: unit for unit in job.journal.units}
    return [
        r
        for method, repeat, count in job.units()
        if (key := (f"{method} {repeat}", count)) in kept
        for r in kept[key].records
    ]
