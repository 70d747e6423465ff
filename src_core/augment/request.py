"""What an augmentation is asked for, and its text forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src_core.augment.layouts import LAYOUTS
from src_core.errors import InputError
from src_core.io import FieldFormat

__all__ = ["FORMATS", "Request", "parse_formats", "parse_levels"]

#: Ways to lay out what is made; ``cases`` holds the most.
FORMATS = tuple(LAYOUTS)


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        dataset: a folder with images/ and labels/, or a CSV.
        out: the folder of the run.
        per_case: new cases from every case.
        levels: lowest and highest; drawn uniformly.
        seed: of all draws.
        formats: of ``FORMATS``.
        options: of every generation, by the names of ``Options`` but level and seed.
        field_format: of the displacement fields.
        spacing: mm per pixel of pictures.
        split: take the cases of this part of the data alone; all without.
        resume: go on with the run that ``out`` holds.
    """

    dataset: Path
    out: Path
    per_case: int = 32
    levels: tuple[int, int] = (30, 70)
    seed: int = 1
    formats: tuple[str, ...] = ("cases",)
    options: Mapping[str, Any] = field(default_factory=dict)
    field_format: FieldFormat = "itk"
    spacing: float | None = None
    split: str = ""
    resume: bool = False


def parse_levels(text: str) -> tuple[int, int]:
    """``30:70`` as (30, 70); ``48`` as (48, 48).

    Raises:
        InputError: it is no range of levels.
    """
    found = re.fullmatch(r"(\d+)(?::(\d+))?", text.strip())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise InputError(
            f"{text} is not possible", where="--levels", expected="lowest:highest, such as 30:70"
        )
    return low, high


def parse_formats(text: str) -> tuple[str, ...]:
    """``cases,nifti`` as names of formats, each once.

    Raises:
        InputError: one of them does not exist.
    """
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in FORMATS:
            raise InputError(
                f"no format called {word or 'nothing'}",
                where="--format",
                expected=f"of {', '.join(FORMATS)}, several separated by commas",
            )
    return words
