"""Small reader tests: a data set of rings, a test of it, and the answers of made-up readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from src_core.cli import run
from src_core.experiments.records import Key, Record
from src_core.tasks.reader.key import write_key
from src_core.tasks.reader.pictures import write_picture
from src_core.tasks.reader.plan import KEY, PICTURES, Question, ReadingPlan, write_plan
from src_core.tasks.reader.reading import ReadingProgress
from tests.support.rings import save_ring

__all__ = ["answer_all", "bare_test", "noise_test", "prepare", "save_rings"]


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


def noise_test(folder: Path, count: int, mode: str = "choice") -> Path:
    """A test with pictures of noise and a key, kinds in turns."""
    bare_test(folder, count, mode)
    records, kinds = [], ("generated", "elastic", "real")
    for number, path in enumerate(sorted((folder / PICTURES).iterdir())):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64), dtype=np.uint8)
        write_picture(path, pixels)
        real = mode == "choice" and number % 4 in (1, 2)
        kind = "real" if real else kinds[number // 2 % 2 if mode == "choice" else number % 3]
        keys: dict[str, Key] = {"picture": path.stem, "kind": kind, "level": 48, "seed": 1}
        records.append(Record(f"case{number}", f"p{number}", keys, {}))
    (folder / KEY).mkdir()
    write_key(folder, records)
    return folder
