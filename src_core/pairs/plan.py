"""A plan of pairs: independent jobs, each one pair, with both its levels and seeds drawn.

A draw is a digest of (seed, case, index, which of the two) and nothing else, as in an augmentation:
order, resumption and the rest of the data set change no bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src_core.augment.plan import draw, names_of
from src_core.dataset import Entry, read_dataset
from src_core.errors import InputError
from src_core.generation import Options, make_options
from src_core.io import FieldFormat
from src_core.model import Model

__all__ = ["Job", "PairsPlan", "PairsRequest", "make_plan"]

Levels = tuple[int, int]


@dataclass(frozen=True)
class PairsRequest:
    """What is asked for.

    Attributes:
        dataset: a folder with images/ and labels/, or a CSV.
        out: the folder of the run.
        per_case: pairs from every case.
        levels: lowest and highest of the deformation that makes the moving image.
        between: lowest and highest of the one between moving and fixed.
        seed: of all draws.
        options: of both generations, by the names of ``Options`` but level and seed.
        field_format: of the displacement fields.
        spacing: mm per pixel of pictures.
        split: take the cases of this part of the data alone; all without.
        resume: go on with the run that ``out`` holds.
        workers: processes; neither their number nor their order changes a bit.
    """

    dataset: Path
    out: Path
    per_case: int = 32
    levels: Levels = (30, 70)
    between: Levels = (30, 70)
    seed: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    field_format: FieldFormat = "itk"
    spacing: float | None = None
    split: str = ""
    resume: bool = False
    workers: int = 1


@dataclass(frozen=True)
class Job:
    """One pair: ``name`` of it, ``index`` (from 1) of those from ``case``."""

    name: str
    case: str
    index: int
    entry: Entry
    first: Options
    second: Options


@dataclass(frozen=True)
class PairsPlan:
    """What a run does, in order, those of one case together; ``facts`` decide every result."""

    request: PairsRequest
    jobs: tuple[Job, ...]
    facts: dict[str, object]

    @property
    def cases(self) -> int:
        """Cases that pairs are made from."""
        return len({job.case for job in self.jobs})


def make_plan(request: PairsRequest, model: Model) -> PairsPlan:
    """The jobs of a request; reads the data set's list and writes nothing.

    Raises:
        InputError: the data set, levels or options are wrong.
    """
    if request.per_case < 1:
        raise InputError(f"{request.per_case} is not possible", where="--per-case", expected="1 up")
    if request.workers < 1:
        raise InputError(f"{request.workers} is not possible", where="--workers", expected="1 up")
    for level in (*request.levels, *request.between):
        chosen = make_options(model.spec.schedule.levels, **{**request.options, "level": level})
    entries = [
        e
        for e in read_dataset(Path(request.dataset))
        if not request.split or e.split == request.split
    ]
    if not entries:
        raise InputError(
            f"no case of the split {request.split}",
            where="--split",
            expected="a CSV with a column split that has it",
        )
    jobs = tuple(
        _job(request, chosen, entry, case, index)
        for entry, case in zip(entries, names_of(entries), strict=True)
        for index in range(1, request.per_case + 1)
    )
    return PairsPlan(request, jobs, _facts(request, chosen, model))


def _job(request: PairsRequest, options: Options, entry: Entry, case: str, index: int) -> Job:
    first, second = (
        options.model_copy(update=dict(zip(("level", "seed"), drawn, strict=True)))
        for drawn in (
            draw(request.seed, f"{case}/moving", index, request.levels),
            draw(request.seed, f"{case}/fixed", index, request.between),
        )
    )
    return Job(f"{case}-{index:03d}", case, index, entry, first, second)


def _facts(request: PairsRequest, options: Options, model: Model) -> dict[str, object]:
    shown = options.model_dump(mode="json")
    return {
        "dataset": str(Path(request.dataset).resolve()),
        "model": model.spec.name,
        "model_sha256": model.sha256,
        "levels": list(request.levels),
        "between": list(request.between),
        "seed": request.seed,
        "options": {k: v for k, v in shown.items() if k not in ("level", "seed")},
        "field_format": request.field_format,
        "spacing": request.spacing,
    }
