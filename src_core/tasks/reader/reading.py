"""One reader's way through a test: which question comes, and what its answer is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from src_core.errors import ArgumentError
from src_core.tasks.reader.answers import Answer, AnswerFile, answer_path
from src_core.tasks.reader.key import read_key
from src_core.tasks.reader.plan import PICTURES, ShownQuestion, order_for, read_plan

__all__ = ["SCORES", "ReadingProgress"]

#: Answers to how real a picture is.
SCORES = ("1", "2", "3", "4", "5")


class ReadingProgress:
    """A reader at a test; begins at the first question without an answer.

    Args:
        folder: of the test.
        reader: name or code, which decides the order and names the file of answers.

    Attributes:
        plan: of the test.
        place: number of the current question, from 0; as many as there are when all is done.

    Raises:
        InputError: there is no test, a picture is missing, the name is empty, or the answers
            cannot be read.
    """

    def __init__(self, folder: Path, reader: str) -> None:
        self._folder, self.reader = folder, reader.strip()
        self.plan = read_plan(folder)
        path = answer_path(folder, self.reader)
        self._file = AnswerFile(path, self.plan.test, self.reader)
        self._key = read_key(folder)
        self._order = order_for(self.plan, self.reader)
        self.place = self._first_open()

    @property
    def total(self) -> int:
        """Number of questions."""
        return len(self._order)

    @property
    def answered(self) -> int:
        """Number of questions with an answer."""
        return len(self._file.answers)

    @property
    def done(self) -> bool:
        """Whether there is no current question."""
        return self.place >= self.total

    @property
    def current(self) -> ShownQuestion:
        """The current question."""
        return self._order[self.place]

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Files of the current question from left to right."""
        shown = self.current
        names = [shown.question.picture(letter) for letter in shown.sides]
        return tuple(self._folder / PICTURES / f"{name}.png" for name in names)

    @property
    def given(self) -> str:
        """The answer to the current question so far: left, right or a score; empty for none."""
        known = None if self.done else self._file.answers.get(self.current.question.name)
        if known is None or self.plan.mode == "score":
            return "" if known is None else known.answer
        return "left" if known.answer == self.current.left else "right"

    def answer(self, choice: str, seconds: float) -> None:
        """Keep an answer to the current question, and go to the next without one.

        Args:
            choice: ``left`` or ``right``, or a score from 1 to 5.
            seconds: since the question was shown.

        Raises:
            InputError: the answer cannot be written; the question stays.
            ArgumentError: no such answer.
        """
        shown = self.current
        letter = self._letter(choice)
        question, real = shown.question, self._key.real(shown.question)
        before = self._file.answers.get(question.name)
        self._file.put(
            Answer(
                self.plan.test,
                self.reader,
                datetime.now().astimezone().isoformat(timespec="seconds"),
                question.name,
                self._key.kind(question),
                letter,
                str(int(letter == real)) if real else "",
                round(seconds, 3),
                shown.left,
                0 if before is None else before.corrections + 1,
            )
        )
        self.place = self._first_open()

    def skip(self) -> None:
        """Leave the answer to the current question as it is, and go to the next without one."""
        self.place = self._first_open()

    def back(self) -> bool:
        """Go to the question before, to correct its answer; whether there is one."""
        if self.place == 0:
            return False
        self.place -= 1
        return True

    def _letter(self, choice: str) -> str:
        sides = self.current.sides
        possible = SCORES if self.plan.mode == "score" else ("left", "right")
        if choice not in possible:
            raise ArgumentError(f"answer() 'choice' must be one of {possible}, got {choice}")
        return choice if self.plan.mode == "score" else sides[possible.index(choice)]

    def _first_open(self) -> int:
        known = self._file.answers
        opened = (i for i, s in enumerate(self._order) if s.question.name not in known)
        return next(opened, self.total)
