"""What a run is asked for, and its text forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src_core.augment.filters import Filters
from src_core.augment.levels import Levels
from src_core.augment.products import CASES, PAIRS, Kind
from src_core.errors import InputError
from src_core.io import FieldFormat

__all__ = ["FORMATS", "PAIR_FORMATS", "Request", "parse_formats"]

#: Ways to lay out new cases; ``cases`` holds the most.
FORMATS = tuple(CASES.layouts)
#: Ways to lay out pairs; ``pairs`` is a folder each.
PAIR_FORMATS = tuple(PAIRS.layouts)


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        dataset: a folder with images/ and labels/, a CSV, or what a dataset.json describes.
        out: the folder of the run.
        per_case: new cases, or pairs, from every case.
        levels: lowest and highest, drawn uniformly; or the weight of each level.
        between: levels of a second deformation over the first, from moving to fixed: pairs are
            made. None makes new cases.
        seed: of all draws.
        formats: of ``FORMATS``, or of ``PAIR_FORMATS``; none is the first of them.
        options: of every generation, by the names of ``Options`` but level and seed.
        field_format: of the displacement fields.
        spacing: mm per pixel of pictures.
        split: take the cases of this part of the data alone; all without.
        resume: go on with the run that ``out`` holds.
        filters: which new cases are wanted.
        with_sources: write every case itself, too, as number 0 at level 0; not with pairs.
        number: of an nnU-Net data set.
        workers: processes at work on this machine.
        dask: address of a Dask scheduler, whose workers do the work instead.
    """

    dataset: Path
    out: Path
    per_case: int = 32
    levels: Levels = (30, 70)
    between: Levels | None = None
    seed: int = 1
    formats: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    field_format: FieldFormat = "itk"
    spacing: float | None = None
    split: str = ""
    resume: bool = False
    filters: Filters = field(default_factory=Filters)
    with_sources: bool = False
    number: int = 500
    workers: int = 1
    dask: str = ""

    def __post_init__(self) -> None:
        if not self.formats:
            object.__setattr__(self, "formats", (next(iter(self.kind.layouts)),))

    @property
    def kind(self) -> Kind:
        """What is made."""
        return CASES if self.between is None else PAIRS


def parse_formats(text: str, known: tuple[str, ...] = FORMATS) -> tuple[str, ...]:
    """``cases,nifti`` as names of formats, each once.

    Raises:
        InputError: one of them does not exist.
    """
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in known:
            raise InputError(
                f"no format called {word or 'nothing'}",
                option="formats",
                expected=f"some of {', '.join(known)}, separated by commas",
            )
    return words
