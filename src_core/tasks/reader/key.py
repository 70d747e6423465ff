"""The key of a test, ``key/key.csv``: what each picture shows, and what it was made from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from src_core.errors import InputError
from src_core.experiments.files import write_csv
from src_core.experiments.records import Record
from src_core.tasks.reader.options import REAL
from src_core.tasks.reader.plan import KEY, Question

__all__ = ["FIGURES", "AnswerKey", "read_key", "write_key"]

#: Figures of a picture, in the order of columns.
FIGURES = ("slice", "mean_mm", "max_mm", "noise_kept", "outside")
_FILE = "key.csv"


class AnswerKey:
    """Which picture shows what.

    Args:
        kinds: by the name of the picture.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def kind(self, question: Question) -> str:
        """What a question is about: the kind of its picture, or of the synthetic one of two."""
        shown = [self.kinds.get(question.picture(letter), "") for letter in question.letters]
        return next((kind for kind in shown if kind != REAL), REAL)

    def real(self, question: Question) -> str:
        """The letter of the real picture of two; empty for a single picture, and without a key."""
        letters = question.letters if question.count == 2 else ()
        return next((one for one in letters if self.kinds.get(question.picture(one)) == REAL), "")


def write_key(folder: Path, records: Sequence[Record]) -> None:
    """Write the key of a test's pictures."""
    rows = [
        (r["picture"], r["kind"], r.case, r.subject, r["level"], r["seed"],
         *(_number(r.figures.get(name)) for name in FIGURES))
        for r in records
    ]  # fmt: skip
    columns = ("picture", "kind", "case", "subject", "level", "seed", *FIGURES)
    write_csv(folder / KEY / _FILE, columns, rows)


def read_key(folder: Path) -> AnswerKey:
    """The key of a test's folder; an empty one where the folder came without.

    Raises:
        InputError: it cannot be read.
    """
    path = folder / KEY / _FILE
    if not path.is_file():
        return AnswerKey({})
    try:
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        return AnswerKey({row["picture"]: row["kind"] for row in rows})
    except (OSError, ValueError, KeyError) as error:
        raise InputError("the key cannot be read", where=str(path)) from error


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
