"""A saved comparison of registration networks, reported from its records and curves alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src_core.errors import InputError
from src_core.experiments.finished import FinishedExperiment
from src_core.experiments.journal import Journal, run_facts
from src_core.experiments.records import Record, TrialKey
from src_core.io.json_text import parse_json
from src_core.tasks.registration.curves import read_curves
from src_core.tasks.registration.options import METHODS, RegistrationRequest
from src_core.tasks.registration.report import COMPUTED, write_report

__all__ = ["SavedRegistration"]


class SavedRegistration(FinishedExperiment):
    """The finished trials of a run; neither data nor a model is read.

    Of the request, ``out`` and ``methods`` count. A network that was tuned further is reported as
    it was last.

    Raises:
        InputError: there is no run in the folder, or no training of these methods is finished.
    """

    def __init__(self, request: RegistrationRequest) -> None:
        self.request, self.report = request, dict[str, Any]()
        self._facts = run_facts(request.out)
        self.journal = Journal(request.out, self._facts["digest"], {}, resume=True)
        if not self.trials():
            raise InputError(
                "no training of these methods is finished",
                where=str(request.out),
                expected="methods of the run",
            )

    def trials(self) -> list[TrialKey]:
        """Method, seed, subjects and steps of every finished training."""
        methods = [m for m in METHODS if m in self.request.methods]
        found = [key for key in self.journal.by_key() if key[0] in methods]
        found.sort(key=lambda key: (key[1], methods.index(key[0]), key[3]))
        return list({key[:3]: key for key in found}.values())

    def write(self, records: Sequence[Record]) -> None:
        """Write results, tables and figures."""
        out, digest = self.request.out, str(self._facts["digest"])
        networks = [(str(method), int(seed)) for method, seed, *_ in self.trials()]
        curves = read_curves(out, networks, digest)
        self.report = write_report(out, self._head(records), records, curves)

    def _head(self, records: Sequence[Record]) -> dict[str, Any]:
        """What the report begins with: of an earlier one, or what the records show."""
        names = {name for record in records for name in record.figures if name.startswith("dsc ")}
        moving = dict.fromkeys(record.case.split(" to ")[0] for record in records)
        return {
            "task": "registration",
            "test_cases": list(moving),
            **{name: value for name, value in self._facts.items() if name != "digest"},
            **_earlier(self.request.out / "results.json"),
            "labels": tuple(sorted(int(name.split()[1]) for name in names)),
            "repeats": len({record["seed"] for record in records}),
            "methods": list(dict.fromkeys(record["method"] for record in records)),
        }


def _earlier(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = parse_json(path.read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name not in COMPUTED}
