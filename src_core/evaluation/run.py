"""A whole evaluation in a folder: real subjects, segmenter, every case, then tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from src_core.device import choose_device, fixed_threads
from src_core.errors import InputError
from src_core.evaluation.anatomy import Anatomy
from src_core.evaluation.dataset import Entry, balanced, read_dataset, without_subjects
from src_core.evaluation.groups import groups_of
from src_core.evaluation.journal import Journal, plain, write_json
from src_core.evaluation.plan import Plan, make_plan, plan_digest
from src_core.evaluation.reference import Reference, read_anatomy, read_reference, training_slices
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
from src_core.hashing import sha256_file
from src_core.library import load_model
from src_core.model import Model
from src_core.release import release_network, release_spec

__all__ = ["Job", "Request", "Step", "prepare", "run"]

#: Cases from which labels, and which encloses which, are found.
_ANATOMY_CASES = 24


@dataclass(frozen=True)
class Request:
    """What a call asks for; ``plan`` holds the options of ``Plan``, None for defaults."""

    model: str | Path
    dataset: Path
    out: Path
    cases: int | None = None
    reference: Path | None = None
    segmenter: Path | None = None
    segmenter_batches: int = 1200
    release: Path | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"
    plan: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """Progress of a stage: so many of so many."""

    stage: str
    done: int
    total: int
    words: str = ""


@dataclass(eq=False)
class Job:
    """A checked request: models, cases, and in the end the report.

    Attributes:
        entries: cases to evaluate; ``real`` the other real ones.
        notes: what is left out, and why, a line each.
        absent: rows and measures left out -> why.
    """

    request: Request
    model: Model
    plan: Plan
    entries: list[Entry]
    real: list[Entry]
    anatomy: Anatomy
    journal: Journal
    release: Model | None
    notes: list[str]
    absent: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many are evaluated."""
        return len(self.entries)

    def told(self) -> list[str]:
        """Lines beside the table."""
        steps = self.report["steps"]
        lines = [f"absent: {name}, {why}" for name, why in self.absent.items()]
        if steps:
            lines.append(f"fewest steps that lose no more than their error: {steps['fewest']}")
        return lines


def prepare(request: Request) -> Job:
    """Check everything and open the folder; nothing is computed yet.

    Raises:
        InputError: model, data set, options or folder are not as they must be.
    """
    model = load_model(request.model, request.device)
    plan = make_plan(model.spec.schedule.levels, model.spec.recovery.steps, **request.plan)
    everything = read_dataset(request.dataset)
    entries = balanced(_tested(everything), request.cases)
    real = _real(request, everything, {e.subject for e in entries})
    anatomy = read_anatomy(balanced(real or entries, None)[:_ANATOMY_CASES], model.spec)
    release, absent = _release(request, model, plan)
    absent |= _without(request, anatomy, real)
    digest = plan_digest(
        plan,
        model=model.sha256,
        cases=[(e.name, sha256_file(e.image), e.labels and sha256_file(e.labels)) for e in entries],
        real=[(e.name, e.subject) for e in real],
        release=None if release is None else sha256_file(request.release or ""),
        segmenter=request.segmenter and sha256_file(request.segmenter),
        batches=request.segmenter_batches,
    )
    facts = {
        "model": model.spec.name,
        "plan": plan.model_dump(),
        "cases": [e.name for e in entries],
    }
    journal = Journal(
        request.out, digest, facts, resume=request.resume, overwrite=request.overwrite
    )
    notes = [f"{name} is absent: {why}" for name, why in absent.items()]
    return Job(request, model, plan, entries, real, anatomy, journal, release, notes, absent)


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


def _tested(entries: list[Entry]) -> list[Entry]:
    """The rows with split=test, where there are any; else all that are not train or val."""
    test = [e for e in entries if e.split == "test"]
    return test or [e for e in entries if e.split not in ("train", "val")] or entries


def _real(request: Request, everything: list[Entry], subjects: set[str]) -> list[Entry]:
    """Labelled real cases of subjects that are not evaluated."""
    if request.reference is None:
        found = [e for e in everything if e.split == "train"]
    else:
        whole = read_dataset(request.reference)
        found = [e for e in whole if e.split == "train"] or whole
    strangers = without_subjects([e for e in found if e.labels is not None], subjects)
    if request.reference is not None and not strangers:
        raise InputError(
            "no labelled case of another subject",
            where=str(request.reference),
            expected="real subjects that are not evaluated, with labels",
        )
    return strangers


def _release(request: Request, model: Model, plan: Plan) -> tuple[Model | None, dict[str, str]]:
    if "release" not in plan.rows:
        return None, {}
    if request.release is None:
        return None, {"release": "its weights were not given (--release FILE.pth)"}
    if model.spec.ndim != 2:
        return None, {"release": "it is 2D"}
    spec = release_spec().model_copy(update={"schedule": model.spec.schedule})
    network = release_network(request.release)
    device = choose_device(request.device)
    sha256 = sha256_file(request.release)
    return Model(spec, network.to(device), device, sha256, str(request.release)), {}


def _without(request: Request, anatomy: Anatomy, real: list[Entry]) -> dict[str, str]:
    if not anatomy.labels:
        return {"shapes": "the cases have no labels", "agreement": "the cases have no labels"}
    why = "no other real subjects (--reference, or split=train in the CSV)"
    if not real and request.segmenter is None:
        return {"real against real": why, "agreement": why}
    absent = {} if real else {"real against real": why}
    if request.segmenter_batches < 1 and request.segmenter is None:
        return {**absent, "agreement": "--segmenter-batches 0"}
    if find_spec("monai") is None:
        return {**absent, "agreement": 'MONAI is missing: pip install "napari-drdm[evaluate]"'}
    return absent


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
