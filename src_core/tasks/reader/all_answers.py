"""All answers to a test, of all readers, with the key: what the tables are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src_core.errors import InputError
from src_core.tasks.reader.answers import Answer, read_answers
from src_core.tasks.reader.key import AnswerKey, read_key
from src_core.tasks.reader.plan import ANSWERS, ReadingPlan, read_plan

__all__ = ["AllAnswers", "read_all_answers"]

_SHOWN = ("left", "right")


@dataclass(frozen=True)
class AllAnswers:
    """Answers by reader and question.

    Attributes:
        plan: of the test.
        kinds: question -> what it is about.
        real: question -> letter of the real picture; empty for scores.
        answers: reader -> question -> answer.
    """

    plan: ReadingPlan
    kinds: Mapping[str, str]
    real: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Answer]]

    @property
    def readers(self) -> tuple[str, ...]:
        """Names, ascending."""
        return tuple(sorted(self.answers))

    def of_kind(self, reader: str, kind: str = "") -> list[Answer]:
        """A reader's answers about a kind, or all, in the order of questions."""
        given = self.answers[reader]
        names = (q.name for q in self.plan.questions if kind in ("", self.kinds[q.name]))
        return [given[name] for name in names if name in given]

    def correct(self, answers: Sequence[Answer]) -> int:
        """How many of these took the real picture for real."""
        return sum(answer.answer == self.real[answer.item] for answer in answers)

    def codes(self, readers: Sequence[str]) -> NDArray[np.intp]:
        """Answers, from 0, to the questions that all of these readers answered: (readers, N)."""
        given = [self.answers[reader] for reader in readers]
        names = [q.name for q in self.plan.questions if all(q.name in g for g in given)]
        first = 1 if self.plan.mode == "score" else "a"
        code = {str(first): 0, **{str(n): n - 1 for n in range(2, 6)}, "b": 1}
        return np.array([[code[g[n].answer] for n in names] for g in given], dtype=np.intp)

    @property
    def categories(self) -> int:
        """Number of possible answers."""
        return 5 if self.plan.mode == "score" else 2


def read_all_answers(folder: Path, further: Iterable[Path] = ()) -> AllAnswers:
    """Answers to the test in a folder.

    Args:
        folder: of the test, with its key.
        further: files of answers from elsewhere.

    Raises:
        InputError: there is no test or no key, answers are to another test, or two files are of
            one reader.
    """
    plan, key = read_plan(folder), read_key(folder)
    if not key.kinds:
        raise InputError(
            "the key of the test is missing", where=str(folder), expected="key/key.csv"
        )
    kinds = {q.name: key.kind(q) for q in plan.questions}
    real = {q.name: key.real(q) for q in plan.questions}
    answers: dict[str, dict[str, Answer]] = {}
    for path in [*sorted((folder / ANSWERS).glob("*.csv")), *further]:
        found = read_answers(path)
        _check(found, plan, key, path)
        for reader in {answer.reader for answer in found}:
            if reader in answers:
                raise InputError(f"there are two files of reader {reader}", where=str(path))
            answers[reader] = {a.item: a for a in found if a.reader == reader}
    return AllAnswers(plan, kinds, real, answers)


def _check(answers: Sequence[Answer], plan: ReadingPlan, key: AnswerKey, path: Path) -> None:
    """Refuse answers that this test cannot have.

    Raises:
        InputError: there are some.
    """
    names = {q.name: q for q in plan.questions}
    for answer in answers:
        if answer.test != plan.test or answer.item not in names:
            raise InputError(
                f"answer {answer.item} is to another test ({answer.test})",
                where=str(path),
                expected=f"test {plan.test}",
            )
        possible = ("a", "b") if plan.mode == "choice" else ("1", "2", "3", "4", "5")
        if answer.answer not in possible:
            raise InputError(
                f"the answer {answer.answer} to {answer.item} is not possible",
                where=str(path),
                expected=", ".join(possible),
            )
