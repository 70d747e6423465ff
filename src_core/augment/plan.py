"""A plan: independent jobs, each one new case or pair, with its levels and seeds drawn.

Adding cases to the data set, or making more new cases, changes none of the others; order and
machine do not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from src_core.augment.cohort import cohort_entries
from src_core.augment.disk import estimate
from src_core.augment.layouts import Style, make_style
from src_core.augment.levels import Levels, bounds, draw
from src_core.augment.request import Request
from src_core.datasets.entry import real_path
from src_core.datasets.reading import Entry, read_dataset
from src_core.errors import InputError
from src_core.generation import Options, make_options
from src_core.models.model import Model, ModelSpec
from src_core.steering.contradictions import check_together

__all__ = ["Job", "Plan", "drawn_options", "make_plan", "names_of"]


@dataclass(frozen=True)
class Job:
    """One new case, or pair.

    Attributes:
        name: the new case's, or the pair's.
        case: the case it is made from.
        index: its number among those from ``case``, from 1; 0 is the case itself.
        entry: the files of ``case``.
        options: one for each deformation: a new case has one; a pair two, source to moving and
            moving to fixed.
    """

    name: str
    case: str
    index: int
    entry: Entry
    options: tuple[Options, ...]


@dataclass(frozen=True)
class Plan:
    """What a run does, in order.

    Attributes:
        request: the request that it fulfils.
        jobs: one for each new case or pair, those of one case together.
        facts: everything that decides the results; a run is resumed only with the same facts.
        bytes_each: mean size of a job's files before compression.
        style: how the files are written.
        notes: warnings before the run begins, one line each.
    """

    request: Request
    jobs: tuple[Job, ...]
    facts: dict[str, object]
    bytes_each: int
    style: Style
    notes: tuple[str, ...] = ()

    @property
    def cases(self) -> int:
        """Number of source cases."""
        return len({job.case for job in self.jobs})


def make_plan(request: Request, model: Model | ModelSpec, sha256: str = "") -> Plan:
    """The jobs of a request; reads the data set's list and headers, and writes nothing.

    Args:
        request: data set, number of new cases, levels and the rest.
        model: the model, or its spec, with its file's ``sha256``.
        sha256: digest of the model file, needed with a spec only.

    Raises:
        InputError: the data set, levels, formats or options are wrong.
    """
    spec = model.spec if isinstance(model, Model) else model
    digest = model.sha256 if isinstance(model, Model) else sha256
    product = request.product
    if unknown := [name for name in request.formats if name not in product.layouts]:
        raise InputError(
            f"{unknown[0]} is not a format of {product.noun}",
            option="formats",
            expected=f"one or more of {', '.join(product.layouts)}",
        )
    chosen = _options(request, spec)
    _check_population(request, chosen)
    listed = _entries(request)
    entries = list(dict.fromkeys(listed))
    first = 0 if request.with_sources and request.between is None else 1
    jobs = tuple(
        Job(f"{case}-{i:03d}", case, i, entry, drawn_options(request, chosen, case, i))
        for entry, case in zip(entries, names_of(entries), strict=True)
        for i in range(first, request.per_case + 1)
    )
    style = make_style(
        Path(request.dataset), entries, request.formats, request.number, request.field_format
    )
    what = [part for name in request.formats for part in product.layouts[name].what]
    facts = _facts(request, spec, chosen, digest, style)
    return Plan(request, jobs, facts, estimate(entries, what), style, _notes(entries, len(listed)))


def names_of(entries: Sequence[Entry]) -> list[str]:
    """A name for each case: its file's, with the folders above it where several share one.

    Raises:
        InputError: a file is listed twice.
    """
    for image, count in Counter(real_path(e.image) for e in entries).items():
        if count > 1:
            raise InputError(
                f"this image is listed {count} times, with other labels or subjects",
                where=str(image),
                do="list it once, or copy it under another name for other labels",
            )
    for depth in range(1 + max((len(real_path(e.image).parts) for e in entries), default=0)):
        names = [_name(e, depth) for e in entries]
        if not _twice(name.casefold() for name in names):
            return names
    raise InputError("two cases have one name", where=names[0], do="rename one of the files")


def _name(entry: Entry, depth: int) -> str:
    above = real_path(entry.image).parent.parts[1:]
    return "-".join([*above[max(0, len(above) - depth) :], entry.name])


def _twice(names: Iterable[str]) -> bool:
    return max(Counter(names).values(), default=0) > 1


def drawn_options(
    request: Request, options: Options, case: str, index: int, attempt: int = 0
) -> tuple[Options, ...]:
    """Options with the level and seed of each deformation; a further attempt has other seeds."""
    drawn = [
        draw(request.seed, f"{case}{which}", index, levels, attempt)
        for which, levels in _levels(request).items()
    ]
    untouched = {} if index else {"level": 0, "pose": None, "intensity": None, "targets": ()}
    return tuple(
        options.model_copy(update={"level": level, "seed": seed, **untouched})
        for level, seed in drawn
    )


def _levels(request: Request) -> dict[str, Levels]:
    """Levels of each deformation, by the name that its random draws use."""
    asked = (request.levels, request.between)
    return dict(
        zip(request.product.draws, (levels for levels in asked if levels is not None), strict=True)
    )


def _options(request: Request, spec: ModelSpec) -> Options:
    """Options that all deformations share; checks that the model has the levels."""
    for level in [end for levels in _levels(request).values() for end in bounds(levels)]:
        chosen = make_options(
            spec.schedule.levels, **{**request.options, "level": level, "seed": request.seed}
        )
    return chosen


def _check_population(request: Request, options: Options) -> None:
    """Refuse spreads that contradict other targets, and a data set that is none.

    Raises:
        InputError: names them.
    """
    asked = [spread.target(spread.bounds[1]) for spread in request.spread]
    check_together([*options.targets, *asked])
    if request.like is not None:
        cohort_entries(Path(request.like))


def _entries(request: Request) -> list[Entry]:
    entries = read_dataset(Path(request.dataset), absent="keep")
    chosen = [e for e in entries if not request.split or e.split == request.split]
    if not chosen:
        known = sorted({e.split for e in entries if e.split})
        raise InputError(
            f"no case of the split {request.split}",
            option="split",
            expected=f"one of: {', '.join(known)}" if known else "a CSV with a column split",
        )
    return chosen


def _facts(
    request: Request, spec: ModelSpec, options: Options, sha256: str, style: Style
) -> dict[str, object]:
    shown = options.model_dump(mode="json")
    between = {} if request.between is None else {"between": _plain(request.between)}
    population: dict[str, object] = {}
    if request.spread:
        population["spread"] = [str(spread) for spread in request.spread]
    if request.like is not None:
        population["like"] = str(Path(request.like).resolve())
    return {
        "dataset": str(Path(request.dataset).resolve()),
        "model": spec.name,
        "model_sha256": sha256,
        "levels": _plain(request.levels),
        **between,
        **population,
        "seed": request.seed,
        "options": {k: v for k, v in shown.items() if k not in ("level", "seed")},
        "formats": list(request.formats),
        "field_format": request.field_format,
        "spacing": request.spacing,
        "filters": asdict(request.filters),
        "number": style.number,
        "labels": dict(style.catalogue.labels),
    }


def _plain(levels: Levels) -> list[int] | dict[str, float]:
    """Levels as JSON stores them."""
    return list(levels) if isinstance(levels, tuple) else {str(n): w for n, w in levels.items()}


def _cases(count: int) -> str:
    return "1 case is" if count == 1 else f"{count} cases are"


def _notes(entries: Sequence[Entry], listed: int) -> tuple[str, ...]:
    bare, repeated = sum(entry.labels is None for entry in entries), listed - len(entries)
    notes = [f"{_cases(repeated)} listed again; each is used once"] if repeated else []
    notes += [f"{bare} of {len(entries)} cases have no labels"] if bare else []
    splits = {entry.split for entry in entries}
    if len(splits) > 1 and (others := ", ".join(sorted(splits - {"", "train"}))):
        notes.append(
            f"cases with split {others} are augmented too; select split train to omit them"
        )
    return tuple(notes)
