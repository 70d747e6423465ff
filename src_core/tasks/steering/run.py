"""A test of targets: each case with each set of targets and seed, and without any."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from src_core.errors import InputError
from src_core.evaluation.reference import read_reference, training_slices
from src_core.evaluation.segmenter import (
    Segmenter,
    load_segmenter,
    pool_factor,
    save_segmenter,
    train_segmenter,
)
from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.models.device import fixed_threads
from src_core.tasks.options import WHOLE
from src_core.tasks.steering.cases import SteeredCase, load_steered
from src_core.tasks.steering.measure import PLAIN, Measures, record_of
from src_core.tasks.steering.options import SteeringRequest
from src_core.tasks.steering.prepare import SteeringData, read_data
from src_core.tasks.steering.report import write_report
from src_core.tasks.steering.seeded_targets import targets_of
from src_core.tasks.steering.target_sets import TargetSet

__all__ = ["PreparedSteering"]

_SEGMENTER = "segmenter.safetensors"


class PreparedSteering:
    """A checked request; a trial is a case, a set of targets (or none), a level and a seed.

    Raises:
        InputError: the model, the data set, an option or the folder is wrong.
    """

    def __init__(self, request: SteeringRequest) -> None:
        self.request, self.report = request, dict[str, Any]()
        self.data: SteeringData = read_data(request)
        self.journal = self.data.journal
        self._entries = {e.name: e for e in self.data.entries}
        self._sets = {one.words: one for one in self.data.sets}
        self._cases: dict[str, SteeredCase] = {}
        self._measures = Measures(self.data.anatomy, None, None)

    def trials(self) -> list[TrialKey]:
        """Case, targets, level and seed of every run, all cases of a seed together."""
        request = self.request
        wanted = [(words, request.level, request.seeds) for words in self._sets]
        wanted += [(PLAIN, level, request.plain_seeds) for level in request.plain_levels]
        everything: list[TrialKey] = [
            (name, words, level, seed)
            for seed in range(1, max(request.seeds, request.plain_seeds) + 1)
            for name in self._entries
            for words, level, most in wanted
            if seed <= most
        ]
        kept = self.journal.by_key()
        return [k for k in everything if k in kept] if request.report_only else everything

    def unit(self, key: TrialKey) -> TrialKey:
        """All runs of one case."""
        return (key[0],)

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Measure the real cases, and find or train the segmenter."""
        if not missing:
            return
        data, reference = self.data, None
        for done, found in read_reference(
            data.real, data.model.spec, data.anatomy, self.request.slice
        ):
            reference = found
            yield StageProgress("real cases", done, len(data.real))
        segmenter = (yield from self._segmenter()) if data.with_segmenter else None
        self._measures = Measures(data.anatomy, reference, segmenter)

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """One run; without a record where the case cannot have the targets."""
        name, words, level, seed = key
        keys: dict[str, Key] = {"case": name, "target": words, "level": level, "seed": seed}
        case = self._case(name)
        try:
            targets = self._targets(case, self._sets[words], seed) if words != PLAIN else ()
            records: tuple[Record, ...] = (
                record_of(case, self._measures, words, targets, level, seed),
            )
        except InputError:
            records = ()
        done, total = len(self.journal.trials) + 1, len(self.trials())
        yield StageProgress("runs", done, total, f"{name}, {words}, seed {seed}")
        yield Trial(keys, records)

    def write(self, records: Sequence[Record]) -> None:
        """Write results, tables and figure at the end of each case's runs, and of all."""
        done, each = len(self.journal.trials), len(self._sets) + len(self.request.plain_levels)
        if done % each == 0 or done >= len(self.trials()) or self.request.report_only:
            self.report = write_report(self.request, self.data, records)

    def _case(self, name: str) -> SteeredCase:
        if name not in self._cases:
            data = self.data
            with fixed_threads():
                self._cases[name] = load_steered(
                    self._entries[name], data.model, data.anatomy.labels, self.request.slice
                )
        return self._cases[name]

    def _targets(self, case: SteeredCase, wanted: TargetSet, seed: int) -> tuple[Any, ...]:
        return targets_of(
            wanted,
            np.asarray(case.labels),
            case.case.grid,
            case.session.view.axis,
            self.data.walls,
            seed,
            case.name,
        )

    def _segmenter(self) -> Generator[StageProgress, None, Segmenter]:
        """The segmenter of the option or the folder, or one that is trained and saved there."""
        request, data = self.request, self.data
        labels, factor = data.anatomy.labels, pool_factor(data.model.spec.size)
        own = request.out / _SEGMENTER
        known = request.segmenter or (own if own.is_file() else None)
        if known is not None:
            return load_segmenter(known, labels, factor)
        if request.process != WHOLE:
            raise InputError(
                "processes that share a run need one segmenter",
                option="segmenter",
                do="give one, or begin the run in one process",
            )
        images, classes = training_slices(data.real, data.model.spec, labels)
        batches, made = request.segmenter_batches, None
        with fixed_threads():
            for done, trained in train_segmenter(images, classes, labels, factor, batches):
                made = trained
                yield StageProgress("segmenter", done, batches)
        assert isinstance(made, Segmenter)
        save_segmenter(own, made, {"cases": len(data.real), "batches": batches})
        return made
