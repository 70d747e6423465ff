"""The data of a task: training and test cases, their labels and their digest.

Subjects are taken in an order that is spread evenly over the data set: the first 5 are among the
first 20.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.augment.plan import names_of
from src_core.cases.case import Case
from src_core.datasets.reading import Entry, balanced, read_dataset
from src_core.errors import InputError
from src_core.experiments.journal import Journal
from src_core.experiments.records import StageProgress
from src_core.io import read_case
from src_core.io.hashing import sha256_file
from src_core.models.model import Model
from src_core.tasks.options import WHOLE
from src_core.tasks.stored import EvaluationNames

__all__ = [
    "TaskData",
    "check_apart",
    "first_labels",
    "labelled",
    "need_monai",
    "of_subjects",
    "open_data",
    "read_label_values",
    "read_split",
    "run_digest",
]


@dataclass(frozen=True, eq=False)
class TaskData:
    """Model and cases of a checked request, and the journal of its run.

    Attributes:
        trained, tested: the cases; ``names`` those of the training cases, in their order.
        digest: of everything that decides a training's result.
        journal: a trial for each method, seed and number of training subjects.
    """

    model: Model
    trained: list[Entry]
    tested: list[Entry]
    names: list[str]
    digest: str
    journal: Journal

    @property
    def subjects(self) -> int:
        """Number of training subjects."""
        return len({e.subject for e in self.trained})


def open_data(
    request: Any,
    model: Model,
    trained: list[Entry],
    tested: list[Entry],
    *,
    deciding: Sequence[str],
    steps: int | None = None,
) -> TaskData:
    """Open the journal of a checked request.

    Args:
        request: with ``out``, ``process``, ``resume`` and ``overwrite``.
        deciding: options that decide a training's result; a run resumes with others changed.
        steps: written with every record of trials that have the keys method, seed and subjects;
            None for trials in words of their own.

    Raises:
        InputError: the folder is not empty, or holds another run.
    """
    facts = {name: getattr(request, name) for name in deciding}
    digest = run_digest(facts, model, (*trained, *tested))
    journal = Journal(
        request.out,
        digest,
        facts,
        resume=request.resume,
        overwrite=request.overwrite,
        trial_format=None if steps is None else EvaluationNames(steps),
        process=0 if request.process == WHOLE else request.process[0],
    )
    return TaskData(model, trained, tested, names_of(trained), digest, journal)


def need_monai() -> None:
    """Refuse to begin without MONAI.

    Raises:
        InputError: it is not installed.
    """
    if find_spec("monai") is None:
        raise InputError("MONAI is not installed", do='pip install "napari-drdm[monai]"')


def read_split(
    train: Path, test: Path, test_split: str = "test"
) -> tuple[list[Entry], list[Entry]]:
    """Labelled cases to train and to test: entries of the split, where there are any, else all.

    Raises:
        InputError: no labelled cases, or a subject that is in both.
    """
    trained, tested = labelled(train, "train"), labelled(test, test_split)
    check_apart(tested, trained, test, "training and test")
    return trained, tested


def check_apart(entries: Sequence[Entry], others: Sequence[Entry], where: Path, sets: str) -> None:
    """Refuse subjects that are in two sets.

    Raises:
        InputError: there is one.
    """
    both = {e.subject for e in entries} & {e.subject for e in others}
    if both:
        raise InputError(
            f"{len(both)} subjects are in {sets}, such as {min(both)}",
            where=str(where),
            expected="other subjects than those of the training",
            do="separate them by the columns subject and split",
        )


def of_subjects(entries: Sequence[Entry], count: int) -> list[Entry]:
    """All cases of a number of subjects, subjects in the order in which they are taken.

    Raises:
        InputError: there are fewer.
    """
    subjects = list(dict.fromkeys(e.subject for e in balanced(entries, None)))
    if not 1 <= count <= len(subjects):
        raise InputError(
            f"{count} subjects are unavailable",
            option="subjects",
            expected=f"1 to {len(subjects)}",
        )
    return [e for s in subjects[:count] for e in entries if e.subject == s]


def read_label_values(
    entries: Sequence[Entry], where: Path
) -> Generator[StageProgress, None, tuple[int, ...]]:
    """Label values of all cases, ascending, background left out: what the generator returns.

    Raises:
        InputError: there are none.
    """
    found: set[int] = set()
    for done, entry in enumerate(entries, start=1):
        values = np.unique(first_labels(read_case(entry.image, entry.labels)))
        found |= {int(v) for v in values} - {0}
        yield StageProgress("labels", done, len(entries), entry.name)
    if not found:
        raise InputError(
            "every label map is empty", where=str(where), expected="values above 0 in some"
        )
    return tuple(sorted(found))


def first_labels(case: Case) -> NDArray[np.integer]:
    """The label map of a case (X, Y, Z); of a cine that of its first frame.

    Raises:
        InputError: the case has no labels.
    """
    values = case.label_map
    if values is None:
        raise InputError("the case has no labels", where=case.name)
    return np.asarray(values[..., 0] if values.ndim == 4 else values)


def run_digest(facts: dict[str, Any], model: Model, entries: Iterable[Entry]) -> str:
    """SHA-256 of what decides a task's figures: options, the model, and the files of its cases.

    Args:
        facts: options by name.
    """
    files = [
        (e.name, e.subject, sha256_file(e.image), e.labels and sha256_file(e.labels))
        for e in entries
    ]
    text = repr((sorted(facts.items()), model.sha256, files))
    return hashlib.sha256(text.encode()).hexdigest()


def labelled(path: Path, split: str, needed: bool = True, *, strictly: bool = False) -> list[Entry]:
    """Labelled cases of a split; all of them where the data set has no splits.

    Args:
        strictly: those of the split alone; there may be none.

    Raises:
        InputError: there are none, and they are needed.
    """
    everything = [e for e in read_dataset(path) if e.labels is not None]
    found = [e for e in everything if e.split == split]
    if strictly:
        return found
    if not found and not any(e.split for e in everything):
        found = everything
    if not found and needed:
        raise InputError(
            f"no labelled cases to {split}",
            where=str(path),
            expected=f"images with labels, in a CSV with a column split those of {split}",
        )
    return found
