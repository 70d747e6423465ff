"""A reader's answers, one CSV each: written anew, whole, with every answer.

A crash leaves the file of the answer before. A corrected answer takes the place of the former one.
"""

from __future__ import annotations

import csv
import io
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from src_core.errors import InputError
from src_core.io import open_atomically
from src_core.io.folder import make_folder
from src_core.tasks.reader.plan import ANSWERS

__all__ = ["Answer", "AnswerFile", "answer_path", "read_answers"]


@dataclass(frozen=True)
class Answer:
    """One answer, with the columns of the file.

    Attributes:
        test: digest of the test.
        reader: name or code of the person.
        date: when it was given, ISO 8601.
        item: name of the question.
        kind: what the picture shows; of a pair its synthetic picture; empty without the key.
        answer: of a pair the letter of the picture that was taken for real, or a score 1 to 5.
        correct: 1 or 0; empty for scores and without the key.
        seconds: from the moment the question was shown.
        left: letter of the picture on the left; empty for scores.
        corrections: how often the reader changed the answer.
    """

    test: str
    reader: str
    date: str
    item: str
    kind: str
    answer: str
    correct: str
    seconds: float
    left: str
    corrections: int


_COLUMNS = tuple(field.name for field in fields(Answer))


def answer_path(folder: Path, reader: str) -> Path:
    """The file of a reader in a test's folder.

    Raises:
        InputError: the name is empty.
    """
    if not reader.strip():
        raise InputError("the reader has no name", expected="a name or a code, such as R1")
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", reader).strip("-")
    if plain != reader:
        plain = f"{plain or 'reader'}-{zlib.crc32(reader.encode()):08x}"
    return folder / ANSWERS / f"{plain}.csv"


def read_answers(path: Path) -> list[Answer]:
    """Answers of a file, in the order in which questions were first answered.

    Raises:
        InputError: it cannot be read, or is of another kind.
    """
    try:
        return _parsed(path.read_bytes(), path)
    except OSError as error:
        raise InputError(
            f"the answers cannot be read ({error.strerror or error})", where=str(path)
        ) from error


class AnswerFile:
    """The answers of one reader to one test.

    Args:
        path: of the file, which need not exist.
        test: digest of the test.
        reader: whose answers they are.

    Attributes:
        answers: by question.

    Raises:
        InputError: the file cannot be read, or holds answers to another test or of another reader.
    """

    def __init__(self, path: Path, test: str, reader: str) -> None:
        self.path, self._bytes = path, self._found(path)
        kept = _parsed(self._bytes, path) if self._bytes else []
        if other := next((a for a in kept if a.test != test), None):
            raise InputError(
                f"the answers are to another test ({other.test})",
                where=str(path),
                expected=f"test {test}",
                do="move the file away",
            )
        if other := next((a for a in kept if a.reader != reader), None):  # some disks ignore case
            raise InputError(
                f"the answers are those of {other.reader}", where=str(path), do="use another name"
            )
        self.answers = {answer.item: answer for answer in kept}

    def put(self, answer: Answer) -> None:
        """Keep an answer: it is on the disk when this returns.

        Raises:
            InputError: the file cannot be written, or another program changed it meanwhile.
        """
        if self._found(self.path) != self._bytes:
            raise InputError(
                "the answers were changed by another window or program",
                where=str(self.path),
                do="close it, and start this reader again",
            )
        answers = {**self.answers, answer.item: answer}
        content = _written(answers.values())
        make_folder(self.path.parent)
        with open_atomically(self.path) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.answers, self._bytes = answers, content

    @staticmethod
    def _found(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise InputError(
                f"the answers cannot be read ({error.strerror or error})", where=str(path)
            ) from error


def _written(answers: Iterable[Answer]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(astuple(answer) for answer in answers)
    return text.getvalue().encode()


def _parsed(content: bytes, path: Path) -> list[Answer]:
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        return [_answer(row) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "this is no file of answers", where=str(path), expected=f"columns {', '.join(_COLUMNS)}"
        ) from error


def _answer(row: dict[str, Any]) -> Answer:
    """An answer of a row; of a short row a column is None, which is a TypeError."""
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    if None in values.values():
        raise TypeError
    numbers = {"seconds": float(values["seconds"]), "corrections": int(values["corrections"])}
    return Answer(**{**values, **numbers})
