"""A run's own files: ``manifest.jsonl``, ``index.csv`` and ``failures.csv``.

The manifest has a line for each new case or pair, with its recipe, metrics, certificate and the
SHA-256 of its files; lines are added as they come, and put in the plan's order at the end. The
index of new cases is a data set itself: ``drdm train``, ``evaluate`` and ``augment`` read it.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from src_core.augment.jobs import Line, Made
from src_core.augment.layouts.layout import Member, unwritable
from src_core.augment.plan import Plan
from src_core.augment.run_folder import FAILURES, INDEX, MANIFEST, columns, row_of
from src_core.io import open_atomically
from src_core.io.json_text import parse_json

__all__ = ["Manifest", "lines"]

_PAUSE = 20.0


class Manifest:
    """What was made, rejected or failed; a context that ends with all tables written.

    Only each line's position in the file is kept, so memory does not grow with their length.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._out = plan, Path(plan.request.out)
        self._order = {job.name: place for place, job in enumerate(plan.jobs)}
        self._places: dict[str, int] = {}
        self._failures: dict[str, str] = {}
        self._path = self._out / MANIFEST
        self._saved = time.monotonic()

    def __enter__(self) -> Manifest:
        self._tidy()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tidy()
        self._tables()
        members = [_member(line) for line in lines(self._out) if line["state"] == "made"]
        for name in self._plan.request.formats:
            self._plan.request.product.layouts[name].close(self._out, members, self._plan.style)

    def known(self, name: str) -> Line | None:
        """The line of an earlier run for a new case."""
        if name not in self._places:
            return None
        with self._path.open("rb") as file:
            return self._at(file, name)

    def add(self, made: Made) -> None:
        """How a job ended."""
        name = made.job.name
        if made.state == "failed":
            self._places.pop(name, None)
            self._failures[name] = made.message
        elif made.state != "kept" and made.line is not None:
            self._append(name, made.line)
        if time.monotonic() - self._saved > _PAUSE:
            self._tables()

    def _append(self, name: str, line: Line) -> None:
        try:
            with self._path.open("ab") as file:
                place = file.seek(0, io.SEEK_END)
                file.write(_encoded(line))
        except OSError as error:
            raise unwritable(self._out, error) from error
        self._places[name] = place

    def _tidy(self) -> None:
        """Whole lines only, the newest for each name, in the plan's order."""
        places = self._places or dict(_places(self._path))
        ordered = sorted(places, key=lambda name: (self._order.get(name, len(self._order)), name))
        written: dict[str, int] = {}
        with open_atomically(self._path) as new:
            if ordered:
                with self._path.open("rb") as old:
                    for name in ordered:
                        old.seek(places[name])
                        written[name] = new.tell()
                        new.write(old.readline())
        self._places = written

    def _tables(self) -> None:
        """Both tables; none of failures where nothing failed."""
        made = (line for line in self._lines() if line["state"] == "made")
        rows = (row_of(line, self._plan) for line in made)
        names = columns(self._plan.request.product)
        _write(self._out / INDEX, names, ([row[name] for name in names] for row in rows))
        if self._failures:
            entries = {job.name: job.entry for job in self._plan.jobs}
            failed = (
                [name, str(entries[name].image), self._failures[name]]
                for name in sorted(self._failures, key=self._order.__getitem__)
            )
            _write(self._out / FAILURES, ("name", "source", "why"), failed)
        else:
            with suppress(OSError):
                (self._out / FAILURES).unlink()
        self._saved = time.monotonic()

    def _lines(self) -> Iterator[Line]:
        """What is held so far, in the plan's order."""
        with self._path.open("rb") as file:
            for name in sorted(self._places, key=lambda n: self._order.get(n, len(self._order))):
                yield self._at(file, name)

    def _at(self, file: io.BufferedReader, name: str) -> Line:
        file.seek(self._places[name])
        return parse_json(file.readline())


def lines(out: Path) -> Iterator[Line]:
    """Whole lines of a run's manifest; none where there is none."""
    with suppress(FileNotFoundError), (Path(out) / MANIFEST).open("rb") as file:
        for text in file:
            if (line := _decoded(text)) is not None:
                yield line


def _places(path: Path) -> Iterator[tuple[str, int]]:
    """Names and places of whole lines, a later one of a name after an earlier."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        place = 0
        for text in file:
            if (line := _decoded(text)) is not None:
                yield str(line["name"]), place
            place += len(text)


def _decoded(text: bytes) -> Line | None:
    if not text.endswith(b"\n"):
        return None
    try:
        line = parse_json(text)
    except ValueError:
        return None
    whole = isinstance(line, dict) and {"name", "state", "files"} <= line.keys()
    return line if whole else None


def _encoded(line: Line) -> bytes:
    return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8")


def _member(line: Line) -> Member:
    return Member(line["name"], line["subject"], line["index"], bool(line["source_labels"]))


def _write(path: Path, columns: tuple[str, ...], rows: Iterator[list[Any]]) -> None:
    with open_atomically(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        text.flush()
        text.detach()
