"""The lines of ``records.jsonl`` of the paper's two tasks, in the names of an evaluation.

Kept for runs of earlier versions: ``row`` is a method, ``level`` a number of training subjects, and
``case`` of a trial its method and seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src_core.experiments.records import Key, Record, Trial

__all__ = ["EvaluationNames"]


@dataclass(frozen=True)
class EvaluationNames:
    """Format of trials whose keys, and those of their records, are method, seed and subjects.

    Attributes:
        steps: written with every record.
    """

    steps: int

    def to_json(self, trial: Trial) -> dict[str, Any]:
        """The object of a trial."""
        method, seed, subjects = (trial.keys[name] for name in ("method", "seed", "subjects"))
        return {
            "case": f"{method} {seed}",
            "level": subjects,
            "records": [self._record_json(r) for r in trial.records],
        }

    def from_json(self, values: dict[str, Any]) -> Trial:
        """The trial of an object."""
        method, seed = values["case"].rsplit(" ", 1)
        keys: dict[str, Key] = {"method": method, "seed": int(seed), "subjects": values["level"]}
        return Trial(keys, tuple(_record(r) for r in values["records"]))

    def _record_json(self, record: Record) -> dict[str, Any]:
        return {
            "case": record.case,
            "subject": record.subject,
            "level": record["subjects"],
            "seed": record["seed"],
            "row": record["method"],
            "steps": self.steps,
            "figures": dict(record.figures),
        }


def _record(values: dict[str, Any]) -> Record:
    keys: dict[str, Key] = {
        "method": values["row"],
        "seed": values["seed"],
        "subjects": values["level"],
    }
    return Record(values["case"], values["subject"], keys, values["figures"])
