"""Slices and fields of a comparison, read and made when they are needed."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.records import StageProgress
from src_core.io import read_case
from src_core.models.device import fixed_threads
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import first_labels
from src_core.tasks.options import WHOLE
from src_core.tasks.segmentation.batches import SliceStore
from src_core.tasks.segmentation.crop import CropGrid, label_centre
from src_core.tasks.segmentation.evaluation_cases import TestedCase, make_tested_case
from src_core.tasks.segmentation.field_folder import CaseFields, FieldFolder
from src_core.tasks.segmentation.fields import (
    FieldMaker,
    elastic_fields,
    field_draws,
    foreground,
    mean_length,
)
from src_core.tasks.segmentation.methods import FieldKind
from src_core.tasks.segmentation.options import SegmentationRequest
from src_core.tasks.segmentation.prepare import SegmentationData
from src_core.tasks.segmentation.registered import RegisteredFields
from src_core.tasks.segmentation.slice_stacks import SliceStack, read_stack

__all__ = ["TaskSource"]

#: Kinds in the order in which they are made: a random field is matched to the recovered one.
_MADE: tuple[FieldKind, ...] = ("drdm", "keep", "random", "registered")


class TaskSource:
    """Slices and fields of the cases of a request.

    Attributes:
        labels: values, ascending, background left out; ``crop`` what the segmenter sees, both set
            by ``read_labels``.
        store: training slices on the device, set by ``fill_store``.
    """

    labels: tuple[int, ...]
    crop: CropGrid
    store: SliceStore

    def __init__(self, request: SegmentationRequest, data: SegmentationData) -> None:
        self.request, self.data = request, data

    def read_labels(self) -> Iterator[StageProgress]:
        """Label values of the training cases, and where they lie on average.

        Raises:
            InputError: all label maps are empty.
        """
        values, places = set[int](), list[tuple[float, float]]()
        entries = list(self.data.trained.values())
        for done, entry in enumerate(entries, start=1):
            case = read_case(entry.image, entry.labels)
            labels = first_labels(case)
            values |= {int(v) for v in np.unique(labels)} - {0}
            place = label_centre(labels, case.grid)
            places += [] if place is None else [place]
            yield StageProgress("labels", done, len(entries), entry.name)
        if not values:
            raise InputError(
                "every label map is empty",
                where=str(self.request.train),
                expected="values above 0 in some",
            )
        left, back = np.mean(places, axis=0).round(1).tolist()
        self.labels = tuple(sorted(values))
        self.crop = CropGrid(self.request.size, self.request.spacing, (left, back))

    def stack(self, name: str, entry: Entry) -> SliceStack:
        """The slices of a case."""
        return read_stack(entry, name, self.crop, self.labels)

    def make_fields(
        self, wanted: Mapping[FieldKind, Sequence[str]], process: tuple[int, int] = WHOLE
    ) -> Iterator[StageProgress]:
        """Make the fields that the folder lacks, by kind and case; elastic ones are not kept.

        Args:
            wanted: names of cases of each kind.
            process: number of this process, and of all that share the cases.
        """
        needed = {kind: set(names) for kind, names in wanted.items()}
        matched = needed.pop("elastic", set()) | needed.get("random", set())
        needed["drdm"] = needed.get("drdm", set()) | matched
        number, count = process
        cases = sorted({n for names in needed.values() for n in names})[number - 1 :: count]
        between = needed.get("registered", set()).intersection(cases)
        if not all(self.folder.has("registered", name) for name in between):
            yield from self._registered.fill(process)
        for done, name in enumerate(cases, start=1):
            for kind in _MADE:
                if name in needed.get(kind, set()) and not self.folder.has(kind, name):
                    yield from self._make(kind, name)
            yield StageProgress("fields", done, len(cases), name)

    def fill_store(
        self, names: Sequence[str], wanted: Mapping[FieldKind, Sequence[str]], device: torch.device
    ) -> Iterator[StageProgress]:
        """Put training slices and their fields on the device."""
        stacks = []
        for done, name in enumerate(names, start=1):
            stacks.append(self.stack(name, self.data.trained[name]))
            yield StageProgress("cases", done, len(names), name)
        self.store = SliceStore(stacks, self.crop, len(self.labels), device)
        by_name = {stack.name: stack for stack in stacks}
        for kind, cases in wanted.items():
            found = {name: self._fields(kind, by_name[name]) for name in cases}
            self.store.add_fields(kind, found)

    def read_tests(
        self, entries: Mapping[str, Entry], device: torch.device, only_labelled: bool = False
    ) -> Generator[StageProgress, None, list[TestedCase]]:
        """Cases to test on; of an external data set the slices that show a label."""
        found = []
        for done, (name, entry) in enumerate(entries.items(), start=1):
            stack = self.stack(name, entry)
            stack = stack.only_labelled() if only_labelled else stack
            found.append(make_tested_case(stack, self.crop, len(self.labels), device))
            yield StageProgress("cases to test", done, len(entries), name)
        return found

    @cached_property
    def folder(self) -> FieldFolder:
        """Where fields are kept."""
        request = self.request
        common = {
            "model": self.data.model[1], "levels": list(request.levels), "times": request.times,
            "seed": request.seed, "size": self.crop.size, "spacing": self.crop.spacing,
            "centre": list(self.crop.centre),
        }  # fmt: skip
        facts = {name: {**common, "image": self.data.sources[name]} for name in self.data.trained}
        further: dict[FieldKind, dict[str, Any]] = {}
        if "registered" in request.methods:
            further["registered"] = {"between": self._registered.digest}
        return FieldFolder(self._fields_folder, facts, further)

    @property
    def _fields_folder(self) -> Path:
        return self.request.fields or self.request.out / "fields"

    @cached_property
    def _registered(self) -> RegisteredFields:
        trained, times = self.data.trained, self.request.times
        spec = self._model.spec
        return RegisteredFields(self._fields_folder, trained, self.labels, spec, self.crop, times)

    def _make(self, kind: FieldKind, name: str) -> Iterator[StageProgress]:
        times, made = self.request.times, list[Tensor]()
        weights = foreground(self.stack(name, self.data.trained[name]), self.crop)
        if kind == "registered":
            fields = self._registered.fields(name, self.request.seed)
        else:
            fields = self._drawn(kind, name, weights)
        while len(made) < times:
            with fixed_threads():
                made.append(next(fields))
            yield StageProgress(f"{kind} fields", len(made), times, name)
        moved = torch.cat(made)
        self.folder.write(kind, name, CaseFields(moved, mean_length(moved, weights)))

    def _drawn(self, kind: FieldKind, name: str, weights: Tensor) -> Iterator[Tensor]:
        request, entry = self.request, self.data.trained[name]
        maker = FieldMaker(read_case(entry.image, entry.labels), self._model, self.crop, weights)
        draws = field_draws(name, request.times, request.levels, request.seed)
        means = self.folder.read("drdm", name).means if kind == "random" else None
        return maker.fields(kind, draws, means)

    def _fields(self, kind: FieldKind, stack: SliceStack) -> Tensor:
        if kind != "elastic":
            return self.folder.read(kind, stack.name).fields
        request, means = self.request, self.folder.read("drdm", stack.name).means
        draws = field_draws(stack.name, request.times, request.levels, request.seed)
        weights = foreground(stack, self.crop)
        return elastic_fields(self.crop, means, weights, draws, request.elastic_strength)

    @cached_property
    def _model(self) -> Model:
        return load_model(self.request.model, "cpu")
