"""Random choices of training subjects, drawn evenly: none comes again before all have come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src_core.errors import InputError

__all__ = ["subset"]


def subset(subjects: Sequence[str], count: int, number: int, seed: int) -> list[str]:
    """The subjects of choice ``number`` (1, 2, ...) of ``count`` subjects.

    All subjects are shuffled and dealt in turn; when they are used up they are shuffled anew, and a
    subject that the choice already has waits for the next. A choice follows from the seed, the
    count and its number alone.

    Raises:
        InputError: there are fewer subjects.
    """
    everyone = sorted(set(subjects))
    if not 1 <= count <= len(everyone):
        raise InputError(
            f"{count} subjects are unavailable",
            option="subjects",
            expected=f"1 to {len(everyone)}",
        )
    rng, waiting, chosen = np.random.default_rng((seed, count)), list[str](), list[str]()
    for _ in range(number):
        chosen = []
        while len(chosen) < count:
            if all(name in chosen for name in waiting):
                waiting += [everyone[i] for i in rng.permutation(len(everyone))]
            following = next(name for name in waiting if name not in chosen)
            waiting.remove(following)
            chosen.append(following)
    return chosen
