"""A run's own files: ``augment.json`` (what decides it), ``index.csv`` and ``failures.csv``.

``index.csv`` is a data set itself: ``drdm train``, ``evaluate`` and ``augment`` read it.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from src_core.augment.layouts import LAYOUTS, Files, sweep
from src_core.augment.plan import Job, Plan
from src_core.errors import InputError
from src_core.io import open_atomically

__all__ = ["FAILURES", "INDEX", "RUN", "Index", "begin", "files_of", "read_index"]

RUN, INDEX, FAILURES = "augment.json", "index.csv", "failures.csv"
_NUMBERS = (
    "level",
    "seed",
    "steps",
    "max_mm",
    "mean_mm",
    "max_percent",
    "min_det",
    "certified",
    "strict_folding_permille",
    "guard_scale",
    "inverse_error_voxels",
    "labels_lost",
)
_COLUMNS = ("image", "labels", "subject", "split", "source", "source_labels", *_NUMBERS)
_PAUSE = 20.0


def begin(plan: Plan) -> None:
    """Make a run's folder, or check that the one there is of the same run.

    Raises:
        InputError: it is not empty (without resume), of another run, or cannot be written.
    """
    out = Path(plan.request.out)
    if out.exists() and not out.is_dir():
        raise InputError("this is a file", where=str(out), expected="a folder")
    if plan.request.resume and (out / RUN).is_file():
        _same_run(plan, out)
        sweep(out)
        return
    if out.is_dir() and any(out.iterdir()):
        raise InputError(
            "the folder is not empty",
            where=str(out),
            expected="an absent or empty folder",
            do="choose another, or go on with the run that is there (--resume)",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror or error})",
            where=str(out),
            do="choose another folder",
        ) from error
    facts = {"augment": 1, **plan.facts, "per_case": plan.request.per_case}
    with open_atomically(out / RUN) as file:
        file.write((json.dumps(facts, indent=2) + "\n").encode())


def files_of(plan: Plan, job: Job) -> list[Files]:
    """Where a job's files are, once it is done, format by format."""
    out, labelled = Path(plan.request.out), job.entry.labels is not None
    return [LAYOUTS[name].files(out, job.name, labelled) for name in plan.request.formats]


class Index:
    """Rows of what is made and of what failed, written whole every so often."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._out = plan, Path(plan.request.out)
        self._rows: list[dict[str, Any]] = []
        self._failures: list[tuple[str, str, str]] = []
        self._saved = time.monotonic()

    def add(self, job: Job, metrics: dict[str, Any]) -> None:
        """A case that is there."""
        files, entry = files_of(self._plan, job)[0], job.entry
        lost = " ".join(map(str, metrics.get("labels_lost", ())))
        self._rows.append(
            {
                **{name: metrics.get(name, "") for name in _NUMBERS},
                "image": files.image.relative_to(self._out).as_posix(),
                "labels": files.labels.relative_to(self._out).as_posix() if files.labels else "",
                "subject": entry.subject,
                "split": entry.split,
                "source": entry.image.resolve(),
                "source_labels": entry.labels.resolve() if entry.labels else "",
                "labels_lost": lost,
            }
        )

    def fail(self, job: Job, why: str) -> None:
        """A case that is not."""
        self._failures.append((job.name, str(job.entry.image), why))

    def save_sometimes(self) -> None:
        """Write, unless that was just done."""
        if time.monotonic() - self._saved > _PAUSE:
            self.save()

    def save(self) -> None:
        """Write both tables; none of failures where nothing failed."""
        rows = [[row[name] for name in _COLUMNS] for row in self._rows]
        _write(self._out / INDEX, _COLUMNS, rows)
        if self._failures:
            _write(self._out / FAILURES, ("name", "source", "why"), self._failures)
        else:
            with suppress(OSError):
                (self._out / FAILURES).unlink()
        self._saved = time.monotonic()


def read_index(out: Path) -> list[dict[str, str]]:
    """Rows of a run's index; none where there is no index yet."""
    path = Path(out) / INDEX
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _same_run(plan: Plan, out: Path) -> None:
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


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with open_atomically(path) as file:
        file.write(text.getvalue().encode("utf-8"))
