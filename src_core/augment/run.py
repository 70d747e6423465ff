"""Doing a plan: one job after the other; a case that fails is told and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from src_core.augment.disk import free_bytes, in_words
from src_core.augment.index import Index, begin, files_of
from src_core.augment.layouts import LAYOUTS
from src_core.augment.plan import Job, Plan
from src_core.case import Case
from src_core.dataset import Entry
from src_core.errors import Cancelled, DRDMError, InputError
from src_core.generation import Result, Step, iterate
from src_core.generation.frame import scale_warning
from src_core.io import read_case
from src_core.io.picture import is_picture
from src_core.model import Model

__all__ = ["Doing", "Made", "augment", "run_job", "steps"]


@dataclass(frozen=True)
class Doing:
    """A job under way: ``step`` of ``total``."""

    job: Job
    step: int
    total: int


@dataclass(frozen=True)
class Made:
    """The end of a job.

    Attributes:
        job: which.
        state: "made" now, "kept" from an earlier run, or "failed".
        metrics: those of ``metrics.json``; none where it failed.
        message: why it failed, or a warning about the case.
    """

    job: Job
    state: Literal["made", "kept", "failed"]
    metrics: dict[str, Any] = field(default_factory=dict)
    message: str = ""


def augment(plan: Plan, model: Model) -> Iterator[Made]:
    """New cases as they come; stop taking values to cancel, and plan with resume to go on.

    Raises:
        InputError: the output folder is of another run, or its disk is full.
    """
    return (value for value in steps(plan, model) if isinstance(value, Made))


def steps(plan: Plan, model: Model) -> Iterator[Doing | Made]:
    """As ``augment``, and the steps of every job between, so that a caller can cancel there."""
    begin(plan)
    index = Index(plan)
    try:
        for _, jobs in groupby(plan.jobs, key=attrgetter("case")):
            for value in _one_case(plan, list(jobs), model):
                if isinstance(value, Made):
                    _note(index, value)
                yield value
            index.save_sometimes()
    finally:
        index.save()


def run_job(plan: Plan, job: Job, case: Case, model: Model) -> Iterator[Doing | Made]:
    """One new case, generated and written; errors of this case end in a failed ``Made``.

    Raises:
        InputError: the disk is full.
    """
    out = Path(plan.request.out)
    if (free := free_bytes(out)) < plan.bytes_each:
        raise InputError(
            f"the disk is full ({in_words(free)} left)",
            where=str(out),
            expected=f"room for a case, {in_words(plan.bytes_each)}",
            do="make room, then go on (--resume)",
        )
    try:
        result = yield from _generated(job, case, model)
        for name in plan.request.formats:
            LAYOUTS[name].write(result, out, job.name, plan.request.field_format)
    except Cancelled:
        raise
    except Exception as error:
        yield Made(job, "failed", message=_words(error))
    else:
        yield Made(job, "made", result.metrics, scale_warning(case, model.spec))


def _generated(job: Job, case: Case, model: Model) -> Generator[Doing, None, Result]:
    for value in iterate(case, model, job.options):
        if isinstance(value, Result):
            return value
        if isinstance(value, Step):
            yield Doing(job, value.index, value.total)
    raise RuntimeError("generation ended without a result")


def _one_case(plan: Plan, jobs: Iterable[Job], model: Model) -> Iterator[Doing | Made]:
    case: Case | None = None
    why = ""
    for job in jobs:
        if (metrics := _kept(plan, job)) is not None:
            yield Made(job, "kept", metrics)
            continue
        if case is None and not why:
            try:
                case = _read(job.entry, plan.request.spacing)
            except Exception as error:
                why = _words(error)
        if case is None:
            yield Made(job, "failed", message=why)
        else:
            yield from run_job(plan, job, case, model)


def _read(entry: Entry, spacing: float | None) -> Case:
    return read_case(entry.image, entry.labels, spacing if is_picture(entry.image) else None)


def _kept(plan: Plan, job: Job) -> dict[str, Any] | None:
    """Metrics of a job whose files are all there already."""
    found = files_of(plan, job)
    if not all(files.whole() for files in found):
        return None
    try:
        return json.loads(found[0].metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _note(index: Index, made: Made) -> None:
    if made.state == "failed":
        index.fail(made.job, made.message)
    else:
        index.add(made.job, made.metrics)


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, DRDMError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
