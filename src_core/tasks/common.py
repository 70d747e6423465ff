"""Data and options of a task: who trains, who is tested, which methods.

Subjects come in an order of which any beginning is spread evenly over the data set, so that 5 of
them are among the 20.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from src_core.datasets.reading import Entry, balanced, read_dataset
from src_core.errors import InputError

__all__ = ["chosen", "need_monai", "of_subjects", "positive", "read_split"]


def need_monai() -> None:
    """Refuse to begin without MONAI.

    Raises:
        InputError: it is not installed.
    """
    if find_spec("monai") is None:
        raise InputError("MONAI is not installed", do='pip install "napari-drdm[monai]"')


def read_split(train: Path, test: Path) -> tuple[list[Entry], list[Entry]]:
    """Labelled cases of both data sets: rows of their split, where there are any, else all.

    Raises:
        InputError: no labelled cases, or a subject that is in both.
    """
    learnt, tested = _labelled(train, "train"), _labelled(test, "test")
    both = {e.subject for e in learnt} & {e.subject for e in tested}
    if both:
        raise InputError(
            f"{len(both)} subjects are in training and test, {min(both)} for one",
            where=str(test),
            expected="other subjects than those of the training",
            do="tell them apart by the columns subject and split",
        )
    return learnt, tested


def of_subjects(entries: Sequence[Entry], count: int) -> list[Entry]:
    """All cases of so many subjects, subjects in the order in which they are taken.

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


def chosen(option: str, names: Iterable[str], possible: Iterable[str]) -> tuple[str, ...]:
    """Names of an option, each once.

    Raises:
        InputError: one of them is unknown, or there are none.
    """
    names, possible = tuple(dict.fromkeys(names)), tuple(possible)
    unknown = [name for name in names if name not in possible]
    if unknown or not names:
        raise InputError(
            f"{unknown[0]} is unknown" if unknown else "nothing is chosen",
            option=option,
            expected="some of: " + ", ".join(possible),
        )
    return names


def positive(**options: int) -> None:
    """Refuse whole numbers below 1.

    Raises:
        InputError: one is; names its option.
    """
    for name, value in options.items():
        if value < 1:
            where = f"--{name.replace('_', '-')}"
            raise InputError(f"{value} is not possible", where=where, expected="1 or more")


def _labelled(path: Path, split: str) -> list[Entry]:
    everything = [e for e in read_dataset(path) if e.labels is not None]
    found = [e for e in everything if e.split == split]
    if not found and not any(e.split for e in everything):
        found = everything
    if not found:
        raise InputError(
            f"no labelled cases to {split}",
            where=str(path),
            expected=f"images with labels, in a CSV with a column split those of {split}",
        )
    return found
