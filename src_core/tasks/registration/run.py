"""A comparison of registration networks: deformations, then a training and a test each trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.io.folder import make_folder
from src_core.tasks.data import read_label_values
from src_core.tasks.registration.losses import Loss, supervised, unsupervised
from src_core.tasks.registration.measures import Pair, figures_of, shown_slabs
from src_core.tasks.registration.networks import load_weights, make_network, save_weights
from src_core.tasks.registration.options import METHODS, RegistrationRequest
from src_core.tasks.registration.pair_batches import RealPairs, SyntheticPairs, real_pairs
from src_core.tasks.registration.prepare import read_data
from src_core.tasks.registration.report import write_report
from src_core.tasks.registration.synthetic_pairs import draw_pairs, open_pairs
from src_core.tasks.registration.training import fit
from src_core.tasks.registration.window import InputWindow, WindowedCase, read_windowed
from src_core.training.hardware import Hardware, start_fabric
from src_core.transforms.live import Live

__all__ = ["PreparedRegistration"]

_REAL = "+real"


class PreparedRegistration:
    """A checked request; a trial is a method and a seed.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """

    def __init__(self, request: RegistrationRequest) -> None:
        self.request, self.data, self.report = request, read_data(request), dict[str, Any]()
        self.journal, self.window = self.data.journal, InputWindow(request.size, request.part)
        self._labels: tuple[int, ...] = ()
        self._trained, self._tested = list[WindowedCase](), list[WindowedCase]()

    def trials(self) -> list[TrialKey]:
        """Method, seed and number of subjects; a tuned network follows what it is tuned from."""
        request = self.request
        methods = [method for method in METHODS if method in request.methods]
        seeds = range(1, request.repeats + 1)
        return [(method, seed, self.data.subjects) for seed in seeds for method in methods]

    def unit(self, key: TrialKey) -> tuple[str, int]:
        """A network and those that are tuned from it, which follow it."""
        method, seed, _ = key
        return method.partition("+")[0], seed

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Read labels, make deformations, and read all cases."""
        data = self.data
        self._labels = yield from read_label_values(data.trained, self.request.train)
        if not missing:
            return
        if not all(method.startswith("none") for method, *_ in missing):
            yield from self._draw()
        total = len(data.trained) + len(data.tested)
        trained = zip(data.trained, data.names, strict=True)
        for kept, cases in (
            (self._trained, trained),
            (self._tested, ((e, e.name) for e in data.tested)),
        ):
            for entry, name in cases:
                spec = data.model.spec
                kept.append(read_windowed(entry, spec, self._labels, self.window, name))
                yield StageProgress("cases", len(self._trained) + len(self._tested), total, name)

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Train a network and test it."""
        method, seed, subjects = key
        network = None
        if method != "none":
            network = make_network(self.data.model.spec.ndim, self._draws(seed))
            yield from self._train(network, method, seed)
        keys: dict[str, Key] = {"method": method, "seed": seed, "subjects": subjects}
        records, pairs = [], self._pairs(self._tested, self.data.tested)
        for done, (moving, fixed) in enumerate(pairs, start=1):
            figures = figures_of(network, (moving, fixed), self._labels, self.window)
            name = f"{moving.name} to {fixed.name}"
            records.append(Record(name, fixed.subject, keys, figures))
            yield StageProgress(f"testing {method}, seed {seed}", done, len(pairs), name)
        yield Trial(keys, tuple(records))

    def write(self, records: Sequence[Record]) -> None:
        """Write results, table and figure."""
        self.report = write_report(self.request, self.data, self._labels, records)

    def _draw(self) -> Iterator[StageProgress]:
        """Deformations of every training case; those in the folder are kept."""
        request, folder = self.request, self._folder
        live = Live(request.model, request.levels)
        make_folder(folder)
        cases = list(zip(self.data.trained, self.data.names, strict=True))
        for done, (entry, name) in enumerate(cases, start=1):
            options = request.times, request.levels, request.seed, request.part
            draw_pairs(entry, name, folder, live, *options)
            yield StageProgress("deformations", done, len(cases), name)

    def _train(self, network: nn.Module, method: str, seed: int) -> Iterator[StageProgress]:
        """Train by the method, from the saved weights of its first part where there are any."""
        request, kind = self.request, method.removesuffix(_REAL)
        steps, digest = request.tuning, self.data.digest
        if kind == "none":
            steps += request.steps
        elif not load_weights(path := self._weights(kind, seed), network, digest):
            names = self.data.names
            fields = [open_pairs(self._folder, name, kind) for name in names]  # type: ignore[arg-type]
            synthetic = SyntheticPairs(self._trained, fields, self.window)
            loss = supervised(request.smooth)
            yield from self._fit(network, synthetic, loss, request.steps, kind, seed)
            save_weights(path, network, digest)
        if method.endswith(_REAL):
            pairs = self._pairs(self._trained, self.data.trained)
            slabs = [(p, u) for p, pair in enumerate(pairs) for u in shown_slabs(pair)]
            loss = unsupervised(request.similarity, request.smooth_real)
            real = RealPairs(pairs, slabs, self.window)
            yield from self._fit(network, real, loss, steps, method, seed)
            save_weights(self._weights(method, seed), network, digest)

    def _fit(
        self,
        network: nn.Module,
        pairs: SyntheticPairs | RealPairs,
        loss: Loss,
        steps: int,
        method: str,
        seed: int,
    ) -> Iterator[StageProgress]:
        request, fabric = self.request, start_fabric(Hardware(self.request.device))
        options = {"steps": steps, "batch": request.batch, "seed": self._draws(seed)}
        for at in fit(network, pairs, loss, fabric, rate=request.rate, **options):
            words = f"loss {at.loss:.4f}, {at.ms:.0f} ms a step"
            yield StageProgress(f"training {method}, seed {seed}", at.done, at.total, words)

    def _pairs(self, cases: Sequence[WindowedCase], entries: Sequence[Entry]) -> list[Pair]:
        indices = real_pairs(entries, self.request.pairs, str(self.request.test))
        pairs = [(cases[a], cases[b]) for a, b in indices]
        for one, other in pairs:
            slices = len(one.images), len(other.images)
            if slices[0] != slices[1]:
                raise InputError(
                    f"{one.name} has {slices[0]} slices and {other.name} {slices[1]}",
                    option="pairs",
                    expected="two cases on one grid",
                )
        return pairs

    def _draws(self, seed: int) -> int:
        """The seed of a training's draws."""
        return self.request.seed * 1000 + seed

    def _weights(self, method: str, seed: int) -> Path:
        return self.request.out / f"{method}-{seed}.safetensors"

    @property
    def _folder(self) -> Path:
        return self.request.fields or self.request.out / "fields"
