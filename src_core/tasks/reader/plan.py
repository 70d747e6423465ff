"""The plan of a reader test, ``plan.json``: its questions, and their order for each reader.

It holds no kinds. Which picture is what stands in the folder ``key``, which a reader need not have.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from src_core.errors import InputError
from src_core.experiments.files import write_json
from src_core.io.json_text import parse_json

__all__ = [
    "ANSWERS", "KEY", "PICTURES", "PLAN", "Question", "ReadingPlan", "ShownQuestion",
    "order_for", "read_plan", "write_plan",
]  # fmt: skip

PLAN, PICTURES, ANSWERS, KEY = "plan.json", "pictures", "answers", "key"
_VERSION = 1
#: The two pictures of a question, in names and answers.
_LETTERS = ("a", "b")


@dataclass(frozen=True)
class Question:
    """What is shown together: two pictures, or one.

    Attributes:
        name: a number of three digits or more, in no order of kinds.
        count: pictures.
    """

    name: str
    count: int

    @property
    def letters(self) -> tuple[str, ...]:
        """``a`` and ``b``, or nothing for one picture."""
        return _LETTERS if self.count == 2 else ("",)

    def picture(self, letter: str) -> str:
        """The name of one of its pictures."""
        return f"{self.name}{letter}"


@dataclass(frozen=True)
class ReadingPlan:
    """Questions of a test.

    Attributes:
        test: a short digest of the test, which every answer repeats.
        mode: choice or score.
        seed: of the order.
        questions: in the order of their names.
    """

    test: str
    mode: Literal["choice", "score"]
    seed: int
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class ShownQuestion:
    """A question as one reader sees it.

    Attributes:
        left: letter of the picture on the left; empty for one picture.
    """

    question: Question
    left: str

    @property
    def sides(self) -> tuple[str, ...]:
        """Letters of the pictures from left to right."""
        letters = self.question.letters
        return letters if self.left == letters[0] else letters[::-1]


def order_for(plan: ReadingPlan, reader: str) -> tuple[ShownQuestion, ...]:
    """Questions in a reader's random order, each picture of a pair on the left equally often.

    It follows from the plan's seed and the reader's name alone.
    """
    source = np.random.default_rng((plan.seed, zlib.crc32(reader.encode())))
    count = len(plan.questions)
    turned = source.permutation(np.arange(count) % 2)
    order = source.permutation(count)
    shown = [(plan.questions[i], int(turned[i])) for i in order]
    return tuple(ShownQuestion(q, q.letters[turn % q.count]) for q, turn in shown)


def write_plan(folder: Path, plan: ReadingPlan) -> None:
    """Write ``plan.json``."""
    write_json(folder / PLAN, {"reader_test": _VERSION, **asdict(plan)})


def read_plan(folder: Path) -> ReadingPlan:
    """The plan of a test's folder.

    Raises:
        InputError: there is none, it cannot be read, or a picture is missing.
    """
    path = folder / PLAN
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
        if found["reader_test"] != _VERSION or found["mode"] not in ("choice", "score"):
            raise ValueError
        questions = tuple(Question(str(q["name"]), int(q["count"])) for q in found["questions"])
        plan = ReadingPlan(str(found["test"]), found["mode"], int(found["seed"]), questions)
    except FileNotFoundError as error:
        raise InputError(
            "there is no reader test", where=str(folder), expected=f"a folder with {PLAN}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("the plan cannot be read", where=str(path), expected=PLAN) from error
    names = [q.picture(letter) for q in questions for letter in q.letters]
    files = [folder / PICTURES / f"{name}.png" for name in names]
    if missing := next((file for file in files if not file.is_file()), None):
        raise InputError("a picture is missing", where=str(missing), do="copy the whole folder")
    return plan
