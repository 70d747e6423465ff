"""Small reader tests: a data set of rings, a test of it, and the answers of made-up readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from src_core.cli import run
from src_core.tasks.reader.plan import PICTURES, Question, ReadingPlan, write_plan
from src_core.tasks.reader.reading import ReadingProgress
from tests.support.rings import save_ring

__all__ = ["answer_all", "bare_test", "prepare", "save_rings"]


def save_rings(folder: Path, count: int = 5) -> Path:
    """A labelled data set of that many subjects."""
    for number in range(count):
        save_ring(folder, f"p{number}", 5.0 + 0.5 * number)
    return folder


def prepare(data: Path, model: Path, out: Path, *words: str) -> int:
    """Prepare a test from the shell; the exit status."""
    small = ["--questions", "3", "--size", "64"] if "--size" not in words else []
    files = [str(data), "--model", str(model), "--out", str(out)]
    return run(["task", "reader", *files, *small, *words])


def bare_test(folder: Path, count: int, mode: str = "choice", seed: int = 1) -> Path:
    """A test without a key, whose pictures are empty files."""
    questions = tuple(
        Question(f"{n:03d}", 2 if mode == "choice" else 1) for n in range(1, count + 1)
    )
    (folder / PICTURES).mkdir(parents=True)
    for question in questions:
        for letter in question.letters:
            (folder / PICTURES / f"{question.picture(letter)}.png").touch()
    write_plan(folder, ReadingPlan("0123abcd", mode, seed, questions))  # type: ignore[arg-type]
    return folder


def answer_all(
    folder: Path, reader: str, choose: Callable[[ReadingProgress], str]
) -> ReadingProgress:
    """Let a reader answer every question that is open."""
    reading = ReadingProgress(folder, reader)
    while not reading.done:
        reading.answer(choose(reading), 1.5)
    return reading
