"""One job: a case read, deformed, filtered and written. Its result depends on nothing else.

So it may run here, in another process or on another machine, and gives the same bits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from src_core.augment.disk import free_bytes, size_text
from src_core.augment.layouts import Style
from src_core.augment.plan import Job, Plan, drawn_options
from src_core.augment.population import Drawn, Population
from src_core.augment.population_facts import population_facts
from src_core.augment.products import Generated
from src_core.augment.request import Request
from src_core.cases.case import Case
from src_core.cases.point_set import PointSet
from src_core.datasets.entry import Entry, real_path
from src_core.errors import Cancelled, InputError, OptionName, Phrase, one_line
from src_core.fields.point_sets import outside_warning
from src_core.generation import Options, Result, Session
from src_core.generation.drawn_case import pose_warning
from src_core.generation.recipe import digests
from src_core.generation.scale import scale_warning
from src_core.generation.verdict import fit_warning
from src_core.io import read_case
from src_core.io.formats import is_picture
from src_core.io.hashing import sha256_array, sha256_file
from src_core.io.points import named_points, read_points
from src_core.models.model import Model

__all__ = ["CaseCache", "Doing", "Line", "Made", "RunSettings", "run_job"]

#: A line of the manifest.
Line = dict[str, Any]
_PROOF = ("certified", "min_det", "strict_folding_permille", "guard_scale")


@dataclass(frozen=True)
class RunSettings:
    """What all jobs of a run have in common; small, since it is sent with each."""

    request: Request
    style: Style
    bytes_each: int
    population: Population | None = None

    @classmethod
    def of(cls, plan: Plan) -> RunSettings:
        """Of a plan's jobs."""
        return cls(plan.request, plan.style, plan.bytes_each)

    def drawn(self, job: Job, session: Session, cache: CaseCache) -> Drawn | None:
        """What a new case of a population is to be; None where nothing is drawn."""
        if self.population is None or not job.index:
            return None
        if not session.case.labels:
            raise InputError(
                "it has no labels whose measures could be drawn",
                where=job.case,
                do="give labels, or leave it out",
            )
        now = cache.shapes(session.case, self.population)
        return self.population.draw(now, job.case, job.index)


@dataclass(frozen=True)
class Doing:
    """A job under way: ``step`` of ``total``; 0 of 0 where another process counts them."""

    job: Job
    step: int
    total: int


@dataclass(frozen=True)
class Made:
    """The end of a job.

    Attributes:
        job: which.
        state: "made" now, "kept" from an earlier run, "rejected" by the filters, or "failed".
        metrics: those of ``metrics.json``; none where it failed.
        message: why it failed or was rejected, or a warning about the case.
        line: of the manifest.
        refused: why each seed was rejected, in order.
    """

    job: Job
    state: Literal["made", "kept", "rejected", "failed"]
    metrics: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    line: Line | None = None
    refused: tuple[str, ...] = ()


class CaseCache:
    """The case that was read last, and its session: jobs of one case follow each other."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._session_of: tuple[Any, ...] = ()
        self._entry: Entry | None = None
        self._case: Case | None = None
        self._digests: dict[str, str] = {}
        self._shapes: dict[str, float] | None = None
        self.points: tuple[PointSet, ...] = ()

    def case(self, entry: Entry, spacing: float | None) -> Case:
        """The case of an entry."""
        if self._case is None or entry != self._entry:
            self._case = self._session = self._shapes = None
            scale = spacing if is_picture(entry.image) else None
            self._case, self._entry = read_case(entry.images, entry.labels, scale), entry
            self.points = _points_of(entry)
            placed = {"affine": sha256_array(self._case.grid.affine)}
            placed |= {n: sha256_array(p.positions) for n, p in named_points(self.points).items()}
            self._digests = {**digests(self._case), **placed}
        return self._case

    def session(self, case: Case, model: Model, options: Options) -> Session:
        """A session of the case, its images and organs kept from job to job."""
        of = (id(model), options.slices, options.region, options.guide)
        held = self._session
        if held is None or held.case is not case or self._session_of != of:
            held = Session(case, model, options.slices, options.region, options.guide)
        self._session, self._session_of = held, of
        return held

    def shapes(self, case: Case, population: Population) -> dict[str, float]:
        """The shape measures of the case that was read last."""
        if self._shapes is None:
            self._shapes = population.shapes(case)
        return self._shapes

    def inputs(self, entry: Entry, spacing: float | None) -> dict[str, str]:
        """SHA-256 of the arrays and of the affine of an entry's case, by name."""
        self.case(entry, spacing)
        return self._digests


def run_job(
    settings: RunSettings, job: Job, known: Line | None, model: Model, cache: CaseCache
) -> Iterator[Doing | Made]:
    """One job, unless the files of its line exist; an error of this case becomes a failed ``Made``.

    Raises:
        InputError: the disk is full.
    """
    if (
        known is not None
        and _files_unchanged(settings, known)
        and _same_source(settings, job, known, cache)
    ):
        yield _kept(job, known)
        return
    _check_space(settings)
    try:
        case = cache.case(job.entry, settings.request.spacing)
        inputs = cache.inputs(job.entry, settings.request.spacing)
        session = cache.session(case, model, job.options[0])
        drawn = settings.drawn(job, session, cache)
        if drawn is not None:
            job = replace(job, options=drawn.options(job.options))
        yield from _tried(settings, job, session, inputs, cache.points, drawn)
    except (Cancelled, MemoryError):
        raise
    except Exception as error:
        yield Made(job, "failed", message=one_line(error))


def _tried(
    settings: RunSettings,
    job: Job,
    session: Session,
    inputs: dict[str, str],
    points: tuple[PointSet, ...],
    drawn: Drawn | None,
) -> Iterator[Doing | Made]:
    """Seed after seed, until one makes a case that the filters keep."""
    filters, refused = settings.request.filters, list[str]()
    for attempt in range(1 + filters.retries):
        result = yield from _generated(settings, job, session, attempt, points)
        why = filters.refused(result.metrics) if job.index else ""
        if not why:
            scale = scale_warning(session.case, session.model.spec)
            moved = result.metrics.get("points", {}).items()
            lines = (
                scale,
                fit_warning(result.metrics),
                pose_warning(result.metrics),
                *(outside_warning(*m) for m in moved),
            )
            warning = "; ".join(filter(None, lines))
            origin: Line = {"inputs": inputs, "refused": refused}
            if settings.population and drawn is not None and isinstance(result, Result):
                facts = population_facts(
                    settings.population, session, job.options[0], drawn, result
                )
                origin["population"] = facts
            yield _written(settings, job, result, origin, warning)
            return
        refused.append(why)
    origin = {"inputs": inputs, "refused": refused}
    line = {**_identity(job), "state": "rejected", **origin, "files": {}}
    yield Made(job, "rejected", message=refused[-1], line=line, refused=tuple(refused))


def _generated(
    settings: RunSettings, job: Job, session: Session, attempt: int, points: tuple[PointSet, ...]
) -> Generator[Doing, None, Generated]:
    request, options = settings.request, job.options
    if attempt:
        options = drawn_options(request, options[0], job.case, job.index, attempt)
    for value in request.product.make(session, options, points):
        if not isinstance(value, tuple):
            # Time is no property of a case: without it, repeated runs write the same bytes.
            metrics = {k: v for k, v in value.metrics.items() if k != "seconds"}
            return replace(value, metrics=metrics)
        yield Doing(job, *value)
    raise RuntimeError("generation ended without a result")


def _written(settings: RunSettings, job: Job, made: Generated, origin: Line, warning: str) -> Made:
    out, metrics, request = Path(settings.request.out), made.metrics, settings.request
    files: set[Path] = set()
    for name in request.formats:
        files.update(request.product.layouts[name].write(made, out, job.name, settings.style))
    line = {
        **_identity(job),
        "state": "made",
        **origin,
        "certificate": {name: metrics[name] for name in _PROOF},
        "metrics": metrics,
        "files": {path.relative_to(out).as_posix(): sha256_file(path) for path in sorted(files)},
        "recipe": made.recipe,
    }
    return Made(job, "made", metrics, warning, line, tuple(origin["refused"]))


def _points_of(entry: Entry) -> tuple[PointSet, ...]:
    """Landmarks, then the surface, of an entry that has them."""
    axes: Any = entry.coordinates or None
    landmarks = [read_points(entry.points, axes, "points")] if entry.points else []
    surfaces = [read_points(entry.surface, axes, "surface")] if entry.surface else []
    return (*landmarks, *surfaces)


def _identity(job: Job) -> Line:
    entry = job.entry
    return {
        "name": job.name,
        "case": job.case,
        "index": job.index,
        "subject": entry.subject,
        "split": entry.split,
        "source": str(real_path(entry.image)),
        "source_labels": str(real_path(entry.labels)) if entry.labels else "",
    }


def _files_unchanged(settings: RunSettings, known: Line) -> bool:
    """Whether all files of a line are what they were."""
    out = Path(settings.request.out)
    try:
        return all(sha256_file(out / name) == digest for name, digest in known["files"].items())
    except InputError:
        return False


def _same_source(settings: RunSettings, job: Job, known: Line, cache: CaseCache) -> bool:
    """Whether a line's source is what it was, as far as it can still be read."""
    try:
        return cache.inputs(job.entry, settings.request.spacing) == known.get("inputs")
    except (InputError, OSError):
        return True


def _kept(job: Job, known: Line) -> Made:
    refused = tuple(known["refused"])
    if known["state"] == "rejected":
        return Made(job, "rejected", message=refused[-1], line=known, refused=refused)
    return Made(job, "kept", known["metrics"], line=known, refused=refused)


def _check_space(settings: RunSettings) -> None:
    out = Path(settings.request.out)
    if (free := free_bytes(out)) < settings.bytes_each:
        raise InputError(
            f"the disk is full ({size_text(free)} left)",
            where=str(out),
            expected=f"space for one more, {size_text(settings.bytes_each)}",
            do=Phrase("free some space, then go on with ", OptionName("resume", True)),
        )
