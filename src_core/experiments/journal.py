"""The folder of a run, which can resume: a digest of its inputs, and a JSON line for each trial.

A line counts only with its end; one cut short by a crash is dropped. Processes that share a run
write a file of trials each, and read all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from src_core.errors import InputError, OptionName, Phrase
from src_core.experiments.files import plain, write_json
from src_core.experiments.records import Record, Trial, TrialKey
from src_core.io import open_atomically
from src_core.io.json_text import parse_json

__all__ = ["Journal", "OwnWords", "TrialFormat", "run_facts"]

_RUN, _RECORDS = "run.json", "records*.jsonl"
_RESUME, _OVERWRITE = OptionName("resume", True), OptionName("overwrite", True)


class TrialFormat(Protocol):
    """How a trial is written as a JSON object, and read again."""

    def to_json(self, trial: Trial) -> dict[str, Any]:
        """The object of a trial."""

    def from_json(self, values: dict[str, Any]) -> Trial:
        """The trial of an object."""


class OwnWords:
    """Keys of trials and records as they are: ``{"case": "a", "level": 48, "records": [...]}``."""

    def to_json(self, trial: Trial) -> dict[str, Any]:
        """The object of a trial."""
        return {**trial.keys, "records": [_record_json(r) for r in trial.records]}

    def from_json(self, values: dict[str, Any]) -> Trial:
        """The trial of an object."""
        keys = {name: value for name, value in values.items() if name != "records"}
        return Trial(keys, tuple(_record(r) for r in values["records"]))


def run_facts(folder: Path) -> dict[str, Any]:
    """What a run wrote of itself when it began, its digest among it.

    Raises:
        InputError: there is no run in the folder.
    """
    try:
        found: dict[str, Any] = parse_json((folder / _RUN).read_text(encoding="utf-8"))
        found["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "there is no run to report", where=str(folder), expected="a run"
        ) from error
    return found


class Journal:
    """Trials of a run, kept in a folder.

    Args:
        folder: of the run.
        digest: of everything that decides its figures.
        facts: written beside it, for people.
        resume: continue the run in the folder, if there is one.
        overwrite: discard the run in the folder.
        trial_format: of the lines.
        process: number of this process where several share the run; 0 for one alone.

    Raises:
        InputError: the folder is not empty, or holds the run of another digest.
    """

    def __init__(
        self,
        folder: Path,
        digest: str,
        facts: Mapping[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
        trial_format: TrialFormat | None = None,
        process: int = 0,
    ) -> None:
        self.folder, self.trials = folder, list[Trial]()
        self._own = folder / (f"records-{process}.jsonl" if process else "records.jsonl")
        self._format = trial_format or OwnWords()
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
                do=Phrase(
                    "choose another, resume with ", _RESUME, ", or begin again with ", _OVERWRITE
                ),
            )
        self._begin(digest, facts)

    def add(self, trial: Trial) -> None:
        """Keep a trial: it is on the disk when this returns."""
        line = json.dumps(plain(self._format.to_json(trial)))
        with self._own.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.trials.append(trial)

    def records(self) -> list[Record]:
        """Everything measured so far."""
        return [record for trial in self.trials for record in trial.records]

    def by_key(self) -> dict[TrialKey, Trial]:
        """Trials by the values of their keys."""
        return {trial.key: trial for trial in self.trials}

    def _begin(self, digest: str, facts: Mapping[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob(_RECORDS):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"the folder cannot be written ({error.strerror or error})",
                where=str(self.folder),
                do="choose another folder",
            ) from error
        write_json(self.folder / _RUN, {"digest": digest, **facts})

    def _check(self, digest: str) -> None:
        try:
            found = parse_json((self.folder / _RUN).read_text(encoding="utf-8"))
            same = found["digest"] == digest
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise InputError(
                "the run in the folder had another model, data set or options",
                where=str(self.folder),
                do=Phrase("choose another folder, or begin again with ", _OVERWRITE),
            )

    def _read(self) -> None:
        for path in sorted(self.folder.glob(_RECORDS)):
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            lines = whole.decode("utf-8").splitlines()
            self.trials += [self._format.from_json(_numbers(parse_json(line))) for line in lines]
            if whole != text and path == self._own:  # another process may be writing its own
                with open_atomically(path) as file:
                    file.write(whole)


def _record_json(record: Record) -> dict[str, Any]:
    head = {"case": record.case, "subject": record.subject}
    return {**head, **record.keys, "figures": dict(record.figures)}


def _record(values: dict[str, Any]) -> Record:
    keys = {k: v for k, v in values.items() if k not in ("case", "subject", "figures")}
    return Record(values["case"], values["subject"], keys, values["figures"])


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    """A line in which figures that are null become NaN."""
    for record in values.get("records", []):
        found = record["figures"].items()
        record["figures"] = {k: math.nan if v is None else v for k, v in found}
    return values
