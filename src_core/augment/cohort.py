"""Shape measures of a labelled data set, which new cases are to be distributed like.

Measured once for a run and kept in its folder, ``cohort.json``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.augment.shape_measures import measured_shapes, shape_names, walls_of
from src_core.cases.case import Case
from src_core.datasets.reading import Entry, read_dataset
from src_core.errors import InputError
from src_core.io import read_case
from src_core.io.case_files import write_json
from src_core.io.formats import is_picture
from src_core.io.hashing import sha256_file
from src_core.io.json_text import parse_json

__all__ = ["COHORT", "Cohort", "cohort_entries", "read_cohort", "read_entry"]

COHORT = "cohort.json"
#: Fewer cases have no distribution.
_FEWEST = 3
#: Cases from which walls are found.
_WALL_CASES = 12


@dataclass(frozen=True, eq=False)
class Cohort:
    """Measures of real cases.

    Attributes:
        names: of the cases; ``subjects`` the persons they belong to.
        measures: in the words of targets, such as ``volume 3`` and ``thickness 2``.
        values: (cases, measures), ml and mm; NaN where a label is absent.
        walls: wall -> the label that it encloses.
    """

    names: tuple[str, ...]
    subjects: tuple[str, ...]
    measures: tuple[str, ...]
    values: NDArray[np.float64]
    walls: dict[int, int]

    def column(self, measure: str) -> NDArray[np.float64]:
        """Values of a measure, those that are known."""
        found = self.values[:, self.measures.index(measure)]
        return np.asarray(found[np.isfinite(found)])


def cohort_entries(path: Path) -> list[Entry]:
    """The labelled cases of a data set.

    Raises:
        InputError: it cannot be read, or has fewer than three.
    """
    try:
        entries = [e for e in read_dataset(path) if e.labels is not None]
    except InputError as error:
        raise InputError(
            error.what, where=error.where, option="like", expected=error.expected, do=error.do
        ) from error
    if len(entries) < _FEWEST:
        raise InputError(
            f"{len(entries)} labelled cases are too few for a distribution",
            where=str(path),
            option="like",
            expected=f"{_FEWEST} or more",
        )
    return entries


def read_cohort(path: Path, ndim: int, spacing: float | None, folder: Path) -> Cohort:
    """The measures of a data set, from the folder of the run where they are known.

    Args:
        path: the data set.
        ndim: axes of the model: thickness is measured in slices with one of 2.
        spacing: mm per pixel of pictures.
        folder: of the run.

    Raises:
        InputError: a case cannot be read, or the data set is not what the run began with.
    """
    entries, kept = cohort_entries(path), folder / COHORT
    digest = [[e.name, e.subject, sha256_file(e.labels or e.image)] for e in entries]
    facts = {"cases": digest, "ndim": ndim, "spacing": spacing}
    if kept.is_file():
        return _kept(kept, facts, path)
    found = _measured(entries, ndim, spacing)
    write_json(kept, {**facts, **_as_json(found)})
    return found


def _kept(file: Path, facts: dict[str, Any], path: Path) -> Cohort:
    known = parse_json(file.read_text(encoding="utf-8"))
    if any(known.get(name) != value for name, value in facts.items()):
        raise InputError(
            "the data set has changed since the run began",
            where=str(path),
            option="like",
            do="choose another folder for the new cases",
        )
    values = [[np.nan if v is None else v for v in row] for row in known["values"]]
    return Cohort(
        tuple(name for name, *_ in known["cases"]),
        tuple(subject for _, subject, _ in known["cases"]),
        tuple(known["measures"]),
        np.array(values, dtype=np.float64),
        {int(wall): inner for wall, inner in known["walls"].items()},
    )


def _measured(entries: Sequence[Entry], ndim: int, spacing: float | None) -> Cohort:
    walls = _walls(entries, ndim, spacing)
    labels: set[int] = set()
    rows: list[dict[str, float]] = []
    for entry in entries:
        case = read_entry(entry, spacing)
        present = {int(v) for v in np.unique(case.labels[0].data)} - {0}
        labels |= present
        rows.append(measured_shapes(case, shape_names(sorted(present), walls), walls, ndim))
    names = shape_names(sorted(labels), walls)
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    subjects = tuple(e.subject for e in entries)
    return Cohort(tuple(e.name for e in entries), subjects, tuple(names), values, walls)


def _walls(entries: Sequence[Entry], ndim: int, spacing: float | None) -> dict[int, int]:
    """Walls in most of some cases, which are evenly spread."""
    places = np.linspace(0, len(entries) - 1, min(len(entries), _WALL_CASES)).round().astype(int)
    found: Counter[tuple[int, int]] = Counter()
    for place in places:
        found.update(walls_of(read_entry(entries[place], spacing), ndim).items())
    return {wall: inner for (wall, inner), n in sorted(found.items()) if 2 * n > len(places)}


def read_entry(entry: Entry, spacing: float | None) -> Case:
    """A case of a data set; ``spacing`` is mm per pixel of pictures."""
    return read_case(entry.images, entry.labels, spacing if is_picture(entry.image) else None)


def _as_json(cohort: Cohort) -> dict[str, Any]:
    return {
        "measures": list(cohort.measures),
        "values": [[v if np.isfinite(v) else None for v in row] for row in cohort.values.tolist()],
        "walls": {str(wall): inner for wall, inner in cohort.walls.items()},
    }
