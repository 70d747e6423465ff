"""Doing a plan of pairs: one after the other; a case that fails is told and the rest goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from src_core.augment.disk import free_bytes, in_words
from src_core.case import Case
from src_core.errors import Cancelled, DRDMError, InputError
from src_core.generation.frame import scale_warning
from src_core.io import field_file, read_case
from src_core.io.picture import is_picture
from src_core.model import Model
from src_core.pairs.index import Index, begin
from src_core.pairs.pair import Pair, Progress, pair_steps, save_pair
from src_core.pairs.plan import Job, PairsPlan

__all__ = ["Doing", "Made", "make_pairs", "steps"]


@dataclass(frozen=True)
class Doing:
    """A job under way."""

    job: Job
    at: Progress


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


def make_pairs(plan: PairsPlan, model: Model) -> Iterator[Made]:
    """Pairs as they come; stop taking values to cancel, and plan with resume to go on.

    Raises:
        InputError: the output folder is of another run, or cannot be written.
    """
    return (value for value in steps(plan, model) if isinstance(value, Made))


def steps(plan: PairsPlan, model: Model) -> Iterator[Doing | Made]:
    """As ``make_pairs``, and the steps of every job between, so that a caller can cancel there."""
    begin(plan)
    index = Index(plan)
    try:
        for _, jobs in groupby(plan.jobs, key=attrgetter("case")):
            for value in _one_case(plan, list(jobs), model):
                if isinstance(value, Made):
                    index.add(value.job, value.metrics, value.message)
                yield value
            index.save()
    finally:
        index.save()


def _one_case(plan: PairsPlan, jobs: Iterable[Job], model: Model) -> Iterator[Doing | Made]:
    case: Case | None = None
    why = ""
    for job in jobs:
        if (metrics := _kept(plan, job)) is not None:
            yield Made(job, "kept", metrics)
            continue
        if case is None and not why:
            try:
                case = _read(plan, job)
            except Exception as error:
                why = _words(error)
        if case is None:
            yield Made(job, "failed", message=why)
        else:
            yield from _one(plan, job, case, model)


def _one(plan: PairsPlan, job: Job, case: Case, model: Model) -> Iterator[Doing | Made]:
    _check_room(Path(plan.request.out), case)
    try:
        for value in pair_steps(case, model, job.first, job.second):
            if isinstance(value, Pair):
                metrics = value.metrics
                save_pair(
                    value,
                    _home(plan, job),
                    overwrite=True,
                    field_format=plan.request.field_format,
                )
            else:
                yield Doing(job, value)
    except Cancelled:
        raise
    except Exception as error:
        yield Made(job, "failed", message=_words(error))
    else:
        yield Made(job, "made", metrics, scale_warning(case, model.spec))


def _check_room(out: Path, case: Case) -> None:
    """Stop a run whose disk is full, rather than fail with every pair that is left."""
    volumes = (*case.images, *case.labels)
    needed = 2 * sum(v.data.nbytes for v in volumes) + 24 * math.prod(case.grid.shape)
    if (free := free_bytes(out)) < needed:
        raise InputError(
            f"the disk is full ({in_words(free)} left)",
            where=str(out),
            expected=f"room for a pair, {in_words(needed)}",
            do="make room, then go on (--resume)",
        )


def _read(plan: PairsPlan, job: Job) -> Case:
    spacing = plan.request.spacing if is_picture(job.entry.image) else None
    return read_case(job.entry.images, job.entry.labels, spacing)


def _home(plan: PairsPlan, job: Job) -> Path:
    return Path(plan.request.out) / "pairs" / job.name


def _kept(plan: PairsPlan, job: Job) -> dict[str, Any] | None:
    """Metrics of a job whose files are all there already."""
    home = _home(plan, job)
    named = ["moving", "fixed", *(("moving-labels", "fixed-labels") if job.entry.labels else ())]
    fields = [field_file(name, plan.request.field_format) for name in ("displacement", "inverse")]
    files = [*(f"{name}.nii.gz" for name in named), *fields, "recipe.json"]
    if not all((home / file).is_file() for file in files):
        return None
    try:
        return json.loads((home / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, DRDMError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
