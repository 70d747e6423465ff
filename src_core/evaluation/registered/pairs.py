"""Which real cases are registered with which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src_core.datasets.reading import Entry, balanced

__all__ = ["CasePair", "pairs_of"]


@dataclass(frozen=True)
class CasePair:
    """The names of two cases that are registered, and their subjects, in the same order."""

    moving: str
    fixed: str
    subjects: tuple[str, str]


def pairs_of(entries: Sequence[Entry], count: int) -> list[CasePair]:
    """Up to ``count`` pairs of cases of different subjects, spread over the subjects.

    Each of ``count`` cases is registered to the next; where there are fewer cases, then to the one
    after that, and so on.
    """
    cases = balanced(entries, None)[:count]
    found: list[CasePair] = []
    for step in range(1, len(cases)):
        for index, moving in enumerate(cases):
            fixed = cases[(index + step) % len(cases)]
            if moving.subject != fixed.subject:
                people = (moving.subject, fixed.subject)
                found.append(CasePair(moving.name, fixed.name, people))
    return found[:count]
