"""Which files a model is trained on, and which validate it.

A data set is a folder of NIfTI files (or one with ``images/``), or a CSV with a column ``image``
and, if wanted, ``weight``, ``subject`` and ``split`` (``train`` and ``val``; other rows are left).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src_core.errors import InputError

__all__ = ["Source", "find_sources", "split_sources"]

_NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Source:
    """A file of images; one of weight w is drawn w times as often."""

    path: Path
    weight: float = 1.0
    subject: str = ""
    split: str = ""


def find_sources(dataset: Path | str) -> list[Source]:
    """Files of a data set.

    Raises:
        InputError: no data set, an empty one, a row that is wrong, or a file listed twice.
    """
    dataset = Path(dataset)
    if dataset.is_dir():
        folder = dataset / "images" if (dataset / "images").is_dir() else dataset
        found = [Source(p) for p in sorted(folder.iterdir()) if p.name.endswith(_NIFTI)]
    elif dataset.suffix == ".csv" and dataset.is_file():
        found = list(_rows(dataset))
    else:
        raise InputError(
            "no such data set",
            where=str(dataset),
            expected="a folder of NIfTI files or a .csv with a column image",
        )
    if not found:
        raise InputError("data set is empty", where=str(dataset), expected="NIfTI images")
    return found


def _rows(path: Path) -> Iterator[Source]:
    seen: dict[Path, int] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            where = f"{path} line {number}"
            if not row.get("image"):
                raise InputError("no image", where=where, expected="column image")
            image = path.parent / row["image"]
            if (first := seen.setdefault(image.resolve(), number)) != number:
                raise InputError(
                    f"{row['image']} is listed twice",
                    where=f"{path} lines {first} and {number}",
                    do="list it once; weight draws it more often",
                )
            split = (row.get("split") or "").strip().lower()
            yield Source(image, _weight(row.get("weight"), where), row.get("subject") or "", split)


def _weight(text: str | None, where: str) -> float:
    try:
        weight = float(text or 1.0)
    except ValueError:
        weight = -1.0
    if not 0 < weight < np.inf:
        raise InputError(f"weight {text} is not possible", where=where, expected="a number above 0")
    return weight


def split_sources(
    sources: list[Source], share: float, seed: int
) -> tuple[list[Source], list[Source]]:
    """Files to train on, and files that validate.

    By the column split where there is one; else a share of the subjects (of the files, where none
    are named) is held out, drawn by the seed. One file in so few that none would be left: none.

    Raises:
        InputError: no row of the split train.
    """
    if any(source.split for source in sources):
        train = [s for s in sources if s.split == "train"]
        if not train:
            raise InputError(
                "no image to train on", where="column split", expected="rows that say train"
            )
        return train, [s for s in sources if s.split == "val"]
    names = sorted({_subject(s) for s in sources})
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    held = {names[i] for i in order[: round(share * len(names))]}
    train = [s for s in sources if _subject(s) not in held]
    return train, [s for s in sources if _subject(s) in held]


def _subject(source: Source) -> str:
    return source.subject or str(source.path)
