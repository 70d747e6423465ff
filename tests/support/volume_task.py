"""A downstream task as a newcomer would add it: a volume by least squares from another one.

The volume of label 2 is regressed on that of label 1, over the training cases alone, or over new
cases too, of which the labels are warped by the model's deformations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field

from src_core.errors.options import option_class, same
from src_core.experiments.files import plain, write_text
from src_core.experiments.journal import Journal
from src_core.experiments.options import EachOnce, names_form
from src_core.experiments.records import Record, StageProgress, Trial, TrialKey
from src_core.io import read_case
from src_core.tasks.data import first_labels, read_split, run_digest
from src_core.tasks.options import TaskOptions
from src_core.tasks.output import markdown, write_results
from src_core.tasks.summary import means_of
from src_core.tasks.table import Task
from src_core.transforms import Live, Scan

__all__ = ["ROW", "PreparedVolume", "VolumeRequest", "volumes_of"]

Training = Literal["cases", "warped"]


@option_class
class VolumeRequest:
    """What a call asks for."""

    train: Path = same(TaskOptions, "train")
    test: Path = same(TaskOptions, "test")
    out: Path = same(TaskOptions, "out")
    model: str = same(TaskOptions, "model")
    training: Annotated[tuple[Training, ...], EachOnce, names_form(("cases", "warped"))] = Field(
        default=("cases", "warped"), min_length=1, description="Sets to learn from."
    )
    copies: int = Field(default=2, ge=1, le=20, description="New cases of each case.")
    level: int = Field(default=40, ge=1, description="Level of the model's deformations.")
    ridge: float = Field(default=1e-9, gt=0, description="Weight of the squared coefficients.")
    repeats: int = same(TaskOptions, "repeats")
    resume: bool = same(TaskOptions, "resume")
    overwrite: bool = same(TaskOptions, "overwrite")


def volumes_of(labels: np.ndarray) -> np.ndarray:
    """Voxels of labels 1 and 2."""
    return np.array([(labels == value).sum() for value in (1, 2)], dtype=np.float64)


class PreparedVolume:
    """A checked request; a trial is a set to learn from, and a seed."""

    def __init__(self, request: VolumeRequest) -> None:
        self.request, self.report = request, dict[str, Any]()
        self.live = Live(request.model, (request.level, request.level))
        self.trained, self.tested = read_split(request.train, request.test)
        facts = {name: getattr(request, name) for name in ("copies", "level", "ridge")}
        digest = run_digest(facts, self.live.loaded(), (*self.trained, *self.tested))
        options = {"resume": request.resume, "overwrite": request.overwrite}
        self.journal = Journal(request.out, digest, facts, **options)

    def trials(self) -> list[TrialKey]:
        seeds = range(1, self.request.repeats + 1)
        return [(training, seed) for training in self.request.training for seed in seeds]

    def unit(self, key: TrialKey) -> TrialKey:
        return key

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        self.cases = []
        for done, entry in enumerate(self.trained, start=1):
            self.cases.append(read_case(entry.image, entry.labels))
            yield StageProgress("cases", done, len(self.trained), entry.name)

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        training, seed = key
        rows = [volumes_of(first_labels(case)) for case in self.cases]
        for done in range(self.request.copies if training == "warped" else 0):
            rows += [self._warped(case, 1000 * seed + done) for case in self.cases]
            yield StageProgress(f"warping, seed {seed}", done + 1, self.request.copies)
        wall, cavity = np.array(rows).T
        inputs = np.stack([np.ones_like(wall), wall], 1)
        normal = inputs.T @ inputs + self.request.ridge * np.eye(2)
        offset, slope = np.linalg.solve(normal, inputs.T @ cavity)
        keys, records = {"training": training, "seed": seed}, []
        for entry in self.tested:
            wall, cavity = volumes_of(first_labels(read_case(entry.image, entry.labels)))
            figures = {"error": abs(offset + slope * wall - cavity)}
            records.append(Record(entry.name, entry.subject, keys, figures))
        yield Trial(keys, tuple(records))

    def write(self, records: Sequence[Record]) -> None:
        means = means_of(records, ("training",), order=None)
        self.report = plain({"task": "volume", "means": means})
        write_results(self.request.out, self.report, records, ("training", "seed"))
        table = markdown(means, [("error", "error, voxels", 1.0, 1)], "error", ("training",))
        write_text(self.request.out / "table.md", table)

    def _warped(self, case: Any, seed: int) -> np.ndarray:
        made = self.live.make(Scan(case.image, case.grid, case.name), self.request.level, seed)
        labels = torch.from_numpy(first_labels(case).astype(np.int64))[None]
        return volumes_of(made.on(case.grid).labels(labels)[0].numpy())


ROW = Task(
    "volume",
    "A volume by least squares, from cases and from warped ones.\n\n"
    "Example: drdm task volume train/ test/ --copies 4 --out volumes",
    VolumeRequest,
    PreparedVolume,
)
