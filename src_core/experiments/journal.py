"""A run's folder: what was asked for, and one JSON line a unit, so that it can go on any time.

A line counts only with its end; one cut short by a crash is dropped.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from src_core.errors import InputError, OptionName, Phrase
from src_core.evaluation.plan import Record, Unit
from src_core.io import open_atomically

__all__ = ["Journal", "plain", "write_json"]

_RUN, _RECORDS = "run.json", "records.jsonl"
_GO_ON, _BEGIN = OptionName("resume", True), OptionName("overwrite", True)


class Journal:
    """Units of a run, kept in a folder.

    Args:
        folder: of the run.
        digest: of everything that decides its figures.
        facts: written beside it, for people.
        resume: go on with the run that is there; without one, begin.
        overwrite: begin afresh where something is.

    Raises:
        InputError: the folder is not empty, or holds the run of another digest.
    """

    def __init__(
        self,
        folder: Path,
        digest: str,
        facts: dict[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.folder, self.units = folder, list[Unit]()
        if folder.exists() and not folder.is_dir():
            raise InputError("this is a file", where=str(folder), expected="a folder")
        if resume and (folder / _RUN).is_file():
            self._check(digest)
            self._read()
            return
        if folder.is_dir() and any(folder.iterdir()) and not overwrite:
            raise InputError(
                "the folder is not empty",
                where=str(folder),
                expected="an absent or empty folder",
                do=Phrase("choose another, go on with ", _GO_ON, ", or begin again with ", _BEGIN),
            )
        self._begin(digest, facts)

    def add(self, unit: Unit) -> None:
        """Keep a unit: it is on the disk when this returns."""
        line = json.dumps(plain({"case": unit.case, "level": unit.level, **_records(unit)}))
        with (self.folder / _RECORDS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.units.append(unit)

    def records(self) -> list[Record]:
        """Everything measured so far."""
        return [record for unit in self.units for record in unit.records]

    def _begin(self, digest: str, facts: dict[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _RECORDS).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"the folder cannot be written ({error.strerror or error})",
                where=str(self.folder),
                do="choose another folder",
            ) from error
        write_json(self.folder / _RUN, {"digest": digest, **facts})

    def _check(self, digest: str) -> None:
        try:
            found = json.loads((self.folder / _RUN).read_text(encoding="utf-8"))
            same = found["digest"] == digest
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise InputError(
                "the run that is there had another model, data set or options",
                where=str(self.folder),
                do=Phrase("choose another folder, or begin again with ", _BEGIN),
            )

    def _read(self) -> None:
        path = self.folder / _RECORDS
        text = path.read_bytes() if path.is_file() else b""
        whole = text[: text.rfind(b"\n") + 1]
        self.units = [_unit(json.loads(line)) for line in whole.decode("utf-8").splitlines()]
        if whole != text:
            with open_atomically(path) as file:
                file.write(whole)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """One JSON object, NaN as null, whole or not at all."""
    with open_atomically(path) as file:
        file.write((json.dumps(plain(values), indent=1) + "\n").encode())


def _records(unit: Unit) -> dict[str, Any]:
    return {"records": [asdict(record) for record in unit.records]}


def _unit(values: dict[str, Any]) -> Unit:
    records = (Record(**{**r, "figures": _numbers(r["figures"])}) for r in values["records"])
    return Unit(values["case"], values["level"], tuple(records))


def _numbers(figures: dict[str, float | None]) -> dict[str, float]:
    return {k: math.nan if v is None else v for k, v in figures.items()}


def plain(value: Any) -> Any:
    """The same as JSON has it: NaN becomes None, a tuple a list."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
