"""One job: a case read, a pair made of it and written. Nothing else decides what comes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from src_core.augment.disk import free_bytes, in_words
from src_core.case import Case
from src_core.entry import Entry
from src_core.errors import Cancelled, InputError, one_line
from src_core.generation.frame import scale_warning
from src_core.io import field_file, read_case
from src_core.io.picture import is_picture
from src_core.model import Model
from src_core.pairs.pair import Pair, Progress, pair_steps, save_pair
from src_core.pairs.plan import Job, PairsRequest

__all__ = ["Bench", "Doing", "Made", "do"]


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


class Bench:
    """Holds the case that was read last: jobs of one case come one after the other."""

    def __init__(self) -> None:
        self._entry: Entry | None = None
        self._case: Case | None = None

    def case(self, entry: Entry, spacing: float | None) -> Case:
        """The case of an entry."""
        if self._case is None or entry != self._entry:
            scale = spacing if is_picture(entry.image) else None
            self._case, self._entry = read_case(entry.images, entry.labels, scale), entry
        return self._case


def do(request: PairsRequest, job: Job, model: Model, bench: Bench) -> Iterator[Doing | Made]:
    """One job, unless its files are there; errors of this case end in a failed ``Made``.

    Raises:
        InputError: the disk is full.
    """
    if (metrics := _kept(request, job)) is not None:
        yield Made(job, "kept", metrics)
        return
    try:
        case = bench.case(job.entry, request.spacing)
    except Exception as error:
        yield Made(job, "failed", message=one_line(error))
    else:
        _check_room(Path(request.out), case)
        yield from _made(request, job, case, model)


def _made(request: PairsRequest, job: Job, case: Case, model: Model) -> Iterator[Doing | Made]:
    try:
        for value in pair_steps(case, model, job.first, job.second):
            if isinstance(value, Pair):
                # How long it took is no property of a pair: without it, trees are the same.
                metrics = {k: v for k, v in value.metrics.items() if k != "seconds"}
                save_pair(
                    replace(value, metrics=metrics),
                    _home(request, job),
                    overwrite=True,
                    field_format=request.field_format,
                )
            else:
                yield Doing(job, value)
    except Cancelled:
        raise
    except Exception as error:
        yield Made(job, "failed", message=one_line(error))
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


def _home(request: PairsRequest, job: Job) -> Path:
    return Path(request.out) / "pairs" / job.name


def _kept(request: PairsRequest, job: Job) -> dict[str, Any] | None:
    """Metrics of a job whose files are all there already."""
    home = _home(request, job)
    named = ["moving", "fixed", *(("moving-labels", "fixed-labels") if job.entry.labels else ())]
    fields = [field_file(name, request.field_format) for name in ("displacement", "inverse")]
    files = [*(f"{name}.nii.gz" for name in named), *fields, "recipe.json"]
    if not all((home / file).is_file() for file in files):
        return None
    try:
        return json.loads((home / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
