"""A comparison of augmentations: deformations, then a training and a test for each trial."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from src_core.errors import InputError
from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.io import read_case
from src_core.tasks.data import of_subjects, read_label_values
from src_core.tasks.segmentation.measures import figures_of
from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.network import predict, train
from src_core.tasks.segmentation.options import MethodName, SegmentationRequest
from src_core.tasks.segmentation.prepare import read_data
from src_core.tasks.segmentation.report import write_report
from src_core.tasks.segmentation.slice_stacks import SliceStack, read_stack
from src_core.tasks.segmentation.training_slices import TrainingSlices
from src_core.transforms import Bank, Live, make_bank

__all__ = ["PreparedSegmentation"]


class PreparedSegmentation:
    """A checked request; a trial is a method, a seed and a number of training subjects.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """

    def __init__(self, request: SegmentationRequest) -> None:
        self.request, self.data, self.report = request, read_data(request), dict[str, Any]()
        self.journal = self.data.journal
        images = (e.image for e in self.data.trained)
        self._names = dict(zip(images, self.data.names, strict=True))
        self._labels: tuple[int, ...] = ()
        self._stacks: dict[Path, SliceStack] = {}

    def trials(self) -> list[TrialKey]:
        """Method, seed and number of subjects of every training."""
        request = self.request
        return [
            (method, seed, subjects)
            for subjects in sorted(set(request.subjects))
            for seed in range(1, request.repeats + 1)
            for method in request.methods
        ]

    def unit(self, key: TrialKey) -> TrialKey:
        """Every training is a unit of its own."""
        return key

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read labels, make deformations, and read the cases that the trials need."""
        data = self.data
        self._labels = yield from read_label_values(data.trained, self.request.train)
        if not missing:
            return
        if fielded := [n for method, _, n in missing if METHODS[method].needs_fields]:
            yield from self._make_fields(max(fielded))
        spec = data.model.spec.model_copy(update={"size": self.request.size})
        entries = of_subjects(data.trained, max(n for *_, n in missing)) + data.tested
        for done, entry in enumerate(entries, start=1):
            name = self._names.get(entry.image, entry.name)
            self._stacks[entry.image] = read_stack(entry, name, spec, self._labels)
            yield StageProgress("cases", done, len(entries), name)

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Train a network and test it."""
        method, seed, subjects = key
        words = f"{method}, {subjects} subjects, seed {seed}"
        network = yield from self._train(method, seed, subjects, words)
        keys: dict[str, Key] = {"method": method, "seed": seed, "subjects": subjects}
        records, tests = [], [self._stacks[e.image] for e in self.data.tested]
        for done, test in enumerate(tests, start=1):
            predicted = predict(network, test.images)
            figures = figures_of(predicted, test.classes, self._labels, test.spacing)
            records.append(Record(test.name, test.subject, keys, figures))
            yield StageProgress(f"testing {words}", done, len(tests), test.name)
        yield Trial(keys, tuple(records))

    def write(self, records: Sequence[Record]) -> None:
        """Write results, table and figure."""
        self.report = write_report(self.request, self.data, self._labels, records)

    def _make_fields(self, subjects: int) -> Iterator[StageProgress]:
        """Deformations of every case that a method needs; those in the folder are kept."""
        request, data = self.request, self.data
        live = Live(request.model, request.levels)
        entries = of_subjects(data.trained, subjects)
        for done, entry in enumerate(entries, start=1):
            case = {self._names[entry.image]: read_case(entry.image, None)}
            options = {"per_case": request.times, "seed": request.seed}
            for stored in make_bank(case, self._folder, live, **options):
                if stored.state == "failed":
                    raise InputError(stored.message, where=str(entry.image))
                yield StageProgress("fields", done, len(entries), stored.name)

    def _train(
        self, method: MethodName, seed: int, subjects: int, words: str
    ) -> Generator[StageProgress, None, nn.Module]:
        request, augmentation = self.request, METHODS[method]
        stacks = [self._stacks[e.image] for e in of_subjects(self.data.trained, subjects)]
        bank = Bank(self._folder) if augmentation.needs_fields else None
        slices = TrainingSlices(augmentation, stacks, len(self._labels), bank, request.seed)
        network: nn.Module | None = None
        for done, loss, network in train(  # noqa: B007
            slices,
            len(self._labels),
            times=request.times,
            steps=request.steps,
            batch=request.batch,
            seed=request.seed * 1000 + seed,
            loss=request.loss,
            rate=request.rate,
            device=request.device,
        ):
            yield StageProgress(f"training {words}", done, request.steps, f"loss {loss:.4f}")
        assert network is not None
        return network

    @property
    def _folder(self) -> Path:
        return self.request.fields or self.request.out / "fields"
