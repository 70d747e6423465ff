"""Which files of a data set a model is trained on, and which validate it."""

from __future__ import annotations

import numpy as np

from src_core.datasets.reading import Entry
from src_core.errors import InputError

__all__ = ["split_sources"]


def split_sources(sources: list[Entry], share: float, seed: int) -> tuple[list[Entry], list[Entry]]:
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
                "no image to train on", where="column split", expected="rows with train"
            )
        return train, [s for s in sources if s.split == "val"]
    names = sorted({_subject(s) for s in sources})
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    held = {names[i] for i in order[: round(share * len(names))]}
    train = [s for s in sources if _subject(s) not in held]
    return train, [s for s in sources if _subject(s) in held]


def _subject(source: Entry) -> str:
    return source.subject or str(source.image)
