"""A run's own files: ``pairs.json`` (what decides it), ``index.csv`` and ``failures.csv``."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from src_core.augment.index import make_folder
from src_core.errors import InputError
from src_core.io import field_file, open_atomically
from src_core.pairs.plan import Job, PairsPlan

__all__ = ["FAILURES", "INDEX", "RUN", "Index", "begin"]

RUN, INDEX, FAILURES = "pairs.json", "index.csv", "failures.csv"
_IMAGES, _FIELDS = ("moving", "fixed"), ("displacement", "inverse")
_LABELS = ("moving-labels", "fixed-labels")
_NUMBERS = (
    "moving_level",
    "moving_seed",
    "level",
    "seed",
    "max_mm",
    "mean_mm",
    "min_det",
    "certified",
    "inverse_error_voxels",
    "labels_lost",
)
_FACTS = ("subject", "split", "source", "source_labels")
_COLUMNS = (*_IMAGES, *_FIELDS, *_LABELS, *_FACTS, *_NUMBERS)


def begin(plan: PairsPlan) -> None:
    """Make a run's folder, or check that the one there is of the same run.

    Raises:
        InputError: it is not empty (without resume), of another run, or cannot be written.
    """
    out = Path(plan.request.out)
    if out.exists() and not out.is_dir():
        raise InputError("this is a file", where=str(out), expected="a folder")
    if plan.request.resume and (out / RUN).is_file():
        _check_same(plan, out)
        _sweep(out)
        return
    make_folder(out)
    facts = {"pairs": 1, **plan.facts, "per_case": plan.request.per_case}
    with open_atomically(out / RUN) as file:
        file.write((json.dumps(facts, indent=2) + "\n").encode())


class Index:
    """Rows of what is made and of what failed, whatever order they come in."""

    def __init__(self, plan: PairsPlan) -> None:
        self._out, self._format = Path(plan.request.out), plan.request.field_format
        self._names = [job.name for job in plan.jobs]
        self._rows: dict[str, list[Any]] = {}
        self._failures: dict[str, tuple[str, str, str]] = {}

    def add(self, job: Job, metrics: dict[str, Any], message: str) -> None:
        """A pair that is there; without metrics, one that is not, and why."""
        if not metrics:
            self._failures[job.name] = (job.name, str(job.entry.image), message)
            return
        entry, home = job.entry, f"pairs/{job.name}"
        lost = " ".join(map(str, metrics.get("labels_lost", ())))
        row = {
            **{name: f"{home}/{name}.nii.gz" for name in _IMAGES},
            **{name: f"{home}/{field_file(name, self._format)}" for name in _FIELDS},
            **{name: f"{home}/{name}.nii.gz" if entry.labels else "" for name in _LABELS},
            **{name: metrics.get(name, "") for name in _NUMBERS},
            "subject": entry.subject,
            "split": entry.split,
            "source": entry.image.resolve(),
            "source_labels": entry.labels.resolve() if entry.labels else "",
            "labels_lost": lost,
        }
        self._rows[job.name] = [row[name] for name in _COLUMNS]

    def save(self) -> None:
        """Write both tables, in the plan's order; none of failures where nothing failed."""
        _write(self._out / INDEX, _COLUMNS, [self._rows[n] for n in self._names if n in self._rows])
        if self._failures:
            rows = [self._failures[n] for n in self._names if n in self._failures]
            _write(self._out / FAILURES, ("name", "source", "why"), rows)
        else:
            (self._out / FAILURES).unlink(missing_ok=True)


def _check_same(plan: PairsPlan, out: Path) -> None:
    try:
        found = json.loads((out / RUN).read_text(encoding="utf-8"))
        different = [k for k, v in plan.facts.items() if found.get(k) != v]
    except (OSError, ValueError, AttributeError):
        different = ["everything"]
    if different:
        raise InputError(
            f"the run that is there differs in {', '.join(different).replace('_', ' ')}",
            where=str(out),
            expected="the same call, --per-case aside",
            do="repeat it, or choose another folder",
        )


def _sweep(out: Path) -> None:
    """Remove what a run that was killed left unfinished."""
    for partial in (*out.glob(".*.partial"), *(out / "pairs").glob("**/.*.partial")):
        with suppress(OSError):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with open_atomically(path) as file:
        file.write(text.getvalue().encode("utf-8"))
