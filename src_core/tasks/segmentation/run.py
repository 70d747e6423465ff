"""A comparison of augmentations: deformations, then a training and a test for each trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.models.device import choose_device, fixed_threads
from src_core.tasks.segmentation.batches import Batches
from src_core.tasks.segmentation.evaluation_cases import TestedCase, counts_of, mean_dice
from src_core.tasks.segmentation.methods import METHODS, FieldKind
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.segmentation.prepare import SegmentationData, open_journal, read_data
from src_core.tasks.segmentation.report import write_report
from src_core.tasks.segmentation.source import TaskSource
from src_core.tasks.segmentation.stored import (
    EXTERNAL,
    TEST,
    course_record,
    tested_record,
)
from src_core.tasks.segmentation.subsets import subset
from src_core.tasks.segmentation.training import Training

__all__ = ["PreparedSegmentation"]


class PreparedSegmentation:
    """A checked request; a trial is a method, a number of subjects, a subset and a seed.

    Args:
        request: what is asked for.
        data: its cases; read from the request where there are none.
        source: of slices and fields; the files of the data where there is none.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """

    def __init__(
        self,
        request: SegmentationRequest,
        data: SegmentationData | None = None,
        source: TaskSource | None = None,
    ) -> None:
        self.request, self.report = request, dict[str, Any]()
        self.data = data or read_data(request)
        self.source = source or TaskSource(request, self.data)
        self.journal = open_journal(request, self.data)
        self._tests: dict[str, list[TestedCase]] = {}
        self._validated: list[TestedCase] = []

    def trials(self) -> list[TrialKey]:
        """Method, subjects, subset and seed of every training.

        A whole comparison at a time, so that a run that stops leaves whole ones.
        """
        request = self.request
        everything: list[TrialKey] = [
            (method, subjects, number, seed)
            for number in range(1, request.subsets + 1)
            for seed in range(1, request.repeats + 1)
            for subjects in request.subjects
            for method in request.methods
        ]
        kept = self.journal.by_key()
        return [k for k in everything if k in kept] if request.report_only else everything

    def unit(self, key: TrialKey) -> TrialKey:
        """Every training is a unit of its own."""
        return key

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read labels, make deformations, and read the cases that the trials need."""
        request = self.request
        yield from self.source.read_labels()
        if request.prepare:
            yield from self.source.make_fields(self._fielded(self.trials()), request.process)
            return
        if not missing:
            return
        yield from self.source.make_fields(self._fielded(missing))
        used = [n for n in self.data.trained if n in {c for k in missing for c in self._cases(k)}]
        device = choose_device(request.device)
        yield from self.source.fill_store(used, self._fielded(missing), device)
        for tested, entries in ((TEST, self.data.tested), (EXTERNAL, self.data.external)):
            cases = yield from self.source.read_tests(entries, device, tested == EXTERNAL)
            self._tests[tested] = cases
        self._validated = yield from self.source.read_tests(self.data.validated, device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Train a network and test it."""
        request = self.request
        method, subjects, number, seed = key
        words = f"{method}, {subjects} subjects, subset {number}, seed {seed}"
        keys: dict[str, Key] = dict(zip(("method", "subjects", "subset", "seed"), key, strict=True))
        training, records = self._training(key), list[Record]()
        for state in training.steps():
            if state.done in _quarters(request.steps):
                with training.stream():
                    dice = mean_dice(training.network, self._validated, len(self.source.labels))
                loss = training.loss(state.done)
                records.append(course_record(keys, state.done, loss, dice))
            yield StageProgress("trainings", state.done, state.total, words)
        yield Trial(keys, (*self._tested(training, keys), *records))

    def write(self, records: Sequence[Record]) -> None:
        """Write results, table and figure."""
        crop, labels = self.source.crop, self.source.labels
        self.report = write_report(self.request, self.data, crop, labels, records)

    def _training(self, key: TrialKey) -> Training:
        method, _, _, seed = key
        request, device = self.request, choose_device(self.request.device)
        store, own = self.source.store, request.seed * 1000 + seed
        steps, batch = request.steps, request.batch
        names = self._cases(key)

        def batches() -> Batches:
            return Batches(store, names, METHODS[method], steps=steps, batch=batch, seed=own)

        labels, rate = len(self.source.labels), request.rate
        return Training(batches, labels, steps=steps, rate=rate, seed=own, device=device)

    def _tested(self, training: Training, keys: dict[str, Key]) -> Iterator[Record]:
        labels = self.source.labels
        with training.stream(), fixed_threads():
            for tested, cases in self._tests.items():
                for case in cases:
                    counts = counts_of(training.network, case, len(labels))
                    stack = case.stack
                    yield tested_record(stack.name, stack.subject, keys, tested, counts, labels)

    def _cases(self, key: TrialKey) -> list[str]:
        _, subjects, number, _ = key
        return self.data.cases_of(subset(self.data.subjects, subjects, number, self.request.seed))

    def _fielded(self, keys: Sequence[TrialKey]) -> dict[FieldKind, list[str]]:
        """Names of the cases of which each kind of fields is needed."""
        found: dict[FieldKind, list[str]] = {}
        for key in keys:
            kind = METHODS[key[0]].field
            if kind:
                have = found.setdefault(kind, [])
                have += [name for name in self._cases(key) if name not in have]
        return found


def _quarters(steps: int) -> set[int]:
    quarter = steps // 4
    return {quarter, 2 * quarter, 3 * quarter, steps}
