"""A reader test that is prepared: its answers are reported, and nothing is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src_core.errors import InputError
from src_core.experiments.finished import FinishedExperiment
from src_core.experiments.journal import Journal, run_facts
from src_core.experiments.records import Record, TrialKey
from src_core.tasks.reader.options import ReaderRequest
from src_core.tasks.reader.plan import KEY, read_plan
from src_core.tasks.reader.report import write_report

__all__ = ["SavedReaderTest"]


class SavedReaderTest(FinishedExperiment):
    """Of the request, ``out``, ``answers`` and ``interval`` count.

    Raises:
        InputError: there is no test in the folder, or it came without its key.
    """

    def __init__(self, request: ReaderRequest) -> None:
        self.request, self.report = request, dict[str, Any]()
        read_plan(request.out)
        try:
            digest = str(run_facts(request.out / KEY)["digest"])
        except InputError as error:
            raise InputError(
                "the key of the test is missing",
                where=str(request.out),
                expected=f"the folder {KEY}, beside the plan",
            ) from error
        self.journal = Journal(request.out / KEY, digest, {}, resume=True)

    def trials(self) -> list[TrialKey]:
        """Names of all pictures."""
        return list(self.journal.by_key())

    def write(self, records: Sequence[Record]) -> None:
        """Write the tables."""
        self.report = write_report(self.request, records)
