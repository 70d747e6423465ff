"""A comparison of registration networks: deformations, then a training and a test each trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from src_core.datasets.reading import Entry
from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.io.folder import make_folder
from src_core.models.device import choose_device
from src_core.tasks.data import read_label_values
from src_core.tasks.output import facts_of
from src_core.tasks.registration.curves import read_curves
from src_core.tasks.registration.measures import Pair, figures_of
from src_core.tasks.registration.network_trainer import NetworkTrainer, steps_of
from src_core.tasks.registration.networks import make_network
from src_core.tasks.registration.options import METHODS, RegistrationRequest
from src_core.tasks.registration.packed_cases import (
    PackedFolder,
    is_packed,
    packed_labels,
    read_or_unpack,
)
from src_core.tasks.registration.pair_batches import checked_pairs
from src_core.tasks.registration.prepare import read_data, read_validation
from src_core.tasks.registration.report import OPTIONS, write_report
from src_core.tasks.registration.synthetic_pairs import draw_pairs
from src_core.tasks.registration.training_pairs import TrainingPairs
from src_core.tasks.registration.validation import ValidationPairs
from src_core.tasks.registration.window import InputWindow, WindowedCase
from src_core.transforms.live import Live

__all__ = ["PreparedRegistration"]

#: Split of a data set -> its cases, in the order of its entries.
_Cases = dict[str, list[WindowedCase]]


class PreparedRegistration:
    """A checked request; a trial is a method, a seed and a number of training steps.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """

    def __init__(self, request: RegistrationRequest) -> None:
        self.request, self.data, self.report = request, read_data(request), dict[str, Any]()
        self.journal, self.window = self.data.journal, InputWindow(request.size, request.part)
        self._labels: tuple[int, ...] = ()
        self._entries = {
            "train": list(zip(self.data.trained, self.data.names, strict=True)),
            "val": [(e, e.name) for e in read_validation(request, self.data)],
            "test": [(e, e.name) for e in self.data.tested],
        }
        self._cases: _Cases = {split: [] for split in self._entries}
        self._trainer: NetworkTrainer | None = None

    def trials(self) -> list[TrialKey]:
        """Method, seed, subjects and steps; a tuned network follows what it is tuned from."""
        request = self.request
        methods = [method for method in METHODS if method in request.methods]
        return [
            (method, seed, self.data.subjects, steps_of(method, request))
            for seed in range(1, request.repeats + 1)
            for method in methods
        ]

    def unit(self, key: TrialKey) -> tuple[str, int]:
        """A network and those that are tuned from it, which follow it."""
        method, seed, *_ = key
        return method.partition("+")[0], seed

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read labels, make deformations, and read all cases."""
        request = self.request
        yield from self._read_labels()
        if not missing and not request.prepare:
            return
        if request.prepare or not all(method.startswith("none") for method, *_ in missing):
            yield from self._draw()
        yield from self._read()
        if request.prepare and not is_packed(self.data.trained[0]):
            self._pack()

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Train a network and test it."""
        method, seed, subjects, steps = key
        network: nn.Module | None = None
        if method != "none":
            network = make_network(self.data.model.spec.ndim, 1000 * self.request.seed + seed)
            yield from self._training().train(network, method, seed)
        keys: dict[str, Key] = {
            "method": method,
            "seed": seed,
            "subjects": subjects,
            "steps": steps,
        }
        records, pairs = [], self._pairs("test")
        for done, (moving, fixed) in enumerate(pairs, start=1):
            figures = figures_of(network, (moving, fixed), self._labels, self.window)
            name = f"{moving.name} to {fixed.name}"
            records.append(Record(name, fixed.subject, keys, figures))
            yield StageProgress(f"testing {method}, seed {seed}", done, len(pairs), name)
        yield Trial(keys, tuple(records))

    def write(self, records: Sequence[Record]) -> None:
        """Write results, tables and figures."""
        networks = [(method, seed) for method, seed, *_ in self.trials()]
        curves = read_curves(self.request.out, networks, self.data.digest)
        facts = facts_of("registration", self.data, self._labels, self.request, OPTIONS)
        self.report = write_report(self.request.out, facts, records, curves)

    def _read_labels(self) -> Iterator[StageProgress]:
        data = self.data
        if is_packed(data.trained[0]):
            self._labels = packed_labels(data.trained[0])
        else:
            self._labels = yield from read_label_values(data.trained, self.request.train)

    def _draw(self) -> Iterator[StageProgress]:
        """Deformations of every training case; those in the folder are kept."""
        request, folder = self.request, self._folder
        live = Live(request.model, request.levels, variety=request.variety)
        make_folder(folder)
        for done, (entry, name) in enumerate(self._entries["train"], start=1):
            options = request.times, request.levels, request.seed, request.part
            draw_pairs(entry, name, folder, live, *options)
            yield StageProgress("deformations", done, len(self.data.trained), name)

    def _read(self) -> Iterator[StageProgress]:
        total, done = sum(map(len, self._entries.values())), 0
        for split, entries in self._entries.items():
            for entry, name in entries:
                case = read_or_unpack(entry, self.data.model, self._labels, self.window, name)
                self._cases[split].append(case)
                done += 1
                yield StageProgress("cases", done, total, name)

    def _pack(self) -> None:
        folder = PackedFolder(self._folder, self.data.model, self._labels, self.window)
        folder.write(
            [
                (split, entry, case)
                for split, entries in self._entries.items()
                for (entry, _), case in zip(entries, self._cases[split], strict=True)
            ]
        )

    def _training(self) -> NetworkTrainer:
        if self._trainer is None:
            device, window = choose_device(self.request.device), self.window
            tuned = any("+" in method for method in self.request.methods)
            real = self._pairs("train") if tuned else []
            pairs = TrainingPairs(self._cases["train"], self._folder, real, window, device)
            watched = self._pairs("val") if self._cases["val"] else []
            validation = ValidationPairs(watched, window, device) if watched else None
            self._trainer = NetworkTrainer(self.request, self.data.digest, pairs, validation)
        return self._trainer

    def _pairs(self, split: str) -> list[Pair]:
        entries: list[Entry] = [entry for entry, _ in self._entries[split]]
        return checked_pairs(
            self._cases[split], entries, self.request.pairs, str(self.request.test)
        )

    @property
    def _folder(self) -> Path:
        return self.request.fields or self.request.out / "fields"
