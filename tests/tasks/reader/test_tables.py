"""Rows of the tables from answers in memory: readers who guess, and bootstraps over questions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from src_core.tasks.reader.all_answers import AllAnswers
from src_core.tasks.reader.answers import Answer
from src_core.tasks.reader.plan import Question, ReadingPlan
from src_core.tasks.reader.tables import accuracy_rows, agreement_rows, score_rows

Choose = Callable[[str, int], str]


def answered(count: int, readers: int, choose: Choose, mode: str = "choice") -> AllAnswers:
    """Every reader's answer to every question; of a pair ``a`` is real, kinds take turns."""
    pairs = mode == "choice"
    questions = tuple(Question(f"{n:03d}", 2 if pairs else 1) for n in range(count))
    asked = ("generated", "elastic") if pairs else ("real", "generated", "elastic")
    kinds = {q.name: asked[n % len(asked)] for n, q in enumerate(questions)}

    def answer(name: str, number: int) -> Answer:
        given, reader = choose(kinds[name], number), f"R{number:03d}"
        return Answer("t", reader, "", name, "", given, "", 1.0, "a", 0)

    answers = {f"R{n:03d}": {q.name: answer(q.name, n) for q in questions} for n in range(readers)}
    plan = ReadingPlan("t", mode, 1, questions)  # type: ignore[arg-type]
    return AllAnswers(plan, kinds, {q.name: "a" if pairs else "" for q in questions}, answers)


def test_intervals_of_readers_who_guess_hold_a_half_nineteen_times_of_twenty():
    source = np.random.default_rng(5)
    guessed = answered(20, 150, lambda kind, reader: "ab"[source.integers(2)])
    rows = [r for r in accuracy_rows(guessed) if r["kind"] == "all" and r["reader"] != "all"]
    within = np.mean([r["low"] <= 0.5 <= r["high"] for r in rows])
    assert len(rows) == 150 and 0.92 <= within <= 0.99
    everyone = accuracy_rows(guessed)[-1]
    assert everyone["reader"] == "all" and everyone["low"] < 0.5 < everyone["high"]


def test_the_interval_over_readers_is_as_wide_as_the_questions_vary():
    """Readers who answer alike add nothing: their interval is that of one, not a narrower one."""
    source = np.random.default_rng(6)
    given = ["ab"[n] for n in source.integers(0, 2, 40)]
    counters = [iter(given * 9)]
    alike = answered(40, 9, lambda kind, reader: next(counters[0]))
    rows = {r["reader"]: r for r in accuracy_rows(alike) if r["kind"] == "all"}
    one, all_of_them = rows["R000"], rows["all"]
    assert all_of_them["accuracy"] == one["accuracy"]
    width = one["high"] - one["low"]
    assert all_of_them["high"] - all_of_them["low"] == pytest.approx(width, rel=0.15)
    assert all(r["kappa"] == 1 for r in agreement_rows(answered(8, 3, lambda k, r: "ab"[k > "f"])))


def test_areas_of_scores_that_tell_and_that_do_not():
    source = np.random.default_rng(7)
    told = {"real": (3, 6), "generated": (3, 6), "elastic": (1, 4)}
    rows = score_rows(answered(90, 2, lambda k, r: str(source.integers(*told[k])), "score"))
    areas = {r["kind"]: r for r in rows if r["reader"] == "all"}
    assert areas["generated"]["area_low"] < 0.5 < areas["generated"]["area_high"]
    assert areas["elastic"]["area"] > areas["elastic"]["area_low"] > 0.8
    assert areas["real"]["score"] == pytest.approx(4, abs=0.25)
    assert areas["real"]["low"] < areas["real"]["score"] < areas["real"]["high"]
