"""Tables from answers of made-up readers, by the shell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from src_core.tasks.reader.key import read_key
from src_core.tasks.reader.reading import ReadingProgress
from src_core.tasks.reader.statistics import proportion_interval
from tests.support.files import rows_of
from tests.support.reader_tests import answer_all, prepare


def real_side(reading: ReadingProgress) -> str:
    key = read_key(reading._folder)
    return "left" if key.real(reading.current.question) == reading.current.left else "right"


def wrong_about(kind: str):
    def choose(reading: ReadingProgress) -> str:
        side = real_side(reading)
        fooled = read_key(reading._folder).kind(reading.current.question) == kind
        return {"left": "right", "right": "left"}[side] if fooled else side

    return choose


def guess(seed: int, answers=("left", "right")):
    source = np.random.default_rng(seed)
    return lambda reading: answers[source.integers(len(answers))]


def told(out: Path, model: Path, *words: str) -> dict:
    assert prepare(out, model, out, "--report-only", *words) == 0
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


@pytest.fixture
def test_folder(pairs, tmp_path) -> Path:
    return shutil.copytree(pairs, tmp_path / "t")


def test_accuracy_and_intervals_of_each_kind(test_folder, model, capsys):
    answer_all(test_folder, "R1", wrong_about("generated"))
    report = told(test_folder, model)
    rows = {row["kind"]: row for row in report["accuracy"]}
    assert {kind: (row["correct"], row["questions"]) for kind, row in rows.items()} == {
        "generated": (0, 3), "elastic": (3, 3), "all": (3, 6),
    }  # fmt: skip
    assert (rows["all"]["low"], rows["all"]["high"]) == pytest.approx(proportion_interval(3, 6))
    assert rows["elastic"]["p"] == pytest.approx(0.25) and rows["all"]["seconds"] == 1.5
    assert "| R1 | all | 6 | 50 (12 to 88) | 1.000 | 1.5 |" in capsys.readouterr().out
    wilson = told(test_folder, model, "--interval", "wilson")["accuracy"]
    assert wilson[-1]["low"] == pytest.approx(proportion_interval(3, 6, "wilson")[0])


def test_the_csv_has_every_answer_and_its_kind(test_folder, model):
    reading = answer_all(test_folder, "R1", wrong_about("elastic"))
    own = rows_of(test_folder / "answers" / "R1.csv")
    assert len(own) == 6 and {r["kind"] for r in own} == {"generated", "elastic"}
    assert all(r["correct"] == str(int(r["kind"] != "elastic")) for r in own)
    told(test_folder, model)
    assert rows_of(test_folder / "results.csv") == own and reading.done


def test_readers_who_had_no_key_are_judged_by_it(test_folder, model, tmp_path):
    """The folder goes out without its key, and a file of answers comes back."""
    away = shutil.copytree(test_folder, tmp_path / "away")
    shutil.rmtree(away / "key")
    source = iter(["left", "right"] * 3)
    answer_all(away, "R2", lambda reading: next(source))
    assert all(r["kind"] == r["correct"] == "" for r in rows_of(away / "answers" / "R2.csv"))
    report = told(test_folder, model, "--answers", str(away / "answers" / "R2.csv"))
    assert report["readers"] == {"R2": 6}
    assert all(r["kind"] and r["correct"] for r in rows_of(test_folder / "results.csv"))
    assert prepare(away, model, away, "--report-only") == 2


def test_agreement_of_two_and_of_three(test_folder, model, capsys):
    answer_all(test_folder, "R1", real_side)
    answer_all(test_folder, "R2", wrong_about("generated"))
    (row,) = told(test_folder, model)["agreement"]
    assert row["same"] == 0.5 and row["readers"] == "R1 and R2" and row["measure"] == "Cohen"
    answer_all(test_folder, "R3", real_side)
    rows = told(test_folder, model)["agreement"]
    assert [r["measure"] for r in rows] == ["Cohen"] * 3 + ["Fleiss"]
    same = next(r for r in rows if r["readers"] == "R1 and R3")
    assert same["kappa"] == 1 and same["same"] == 1
    assert rows[-1]["readers"] == "all" and rows[-1]["same"] == 0.5
    everyone = [r for r in told(test_folder, model)["accuracy"] if r["reader"] == "all"]
    assert [r["kind"] for r in everyone] == ["generated", "elastic", "all"]
    assert everyone[-1]["accuracy"] == pytest.approx(15 / 18) and everyone[-1]["p"] is None


def test_unfinished_readers_are_reported_as_such(test_folder, model, capsys):
    reading = ReadingProgress(test_folder, "R1")
    for _ in range(2):
        reading.answer("left", 1)
    answer_all(test_folder, "R2", guess(0))
    report = told(test_folder, model)
    assert "Not finished (of 6 questions): R1 2." in capsys.readouterr().out
    assert report["agreement"][0]["questions"] == 2


def test_scores(singles, model, tmp_path, capsys):
    out = shutil.copytree(singles, tmp_path / "t")
    key = read_key(out)
    by_kind = {"real": "5", "generated": "4", "elastic": "1"}
    answer_all(out, "R1", lambda r: by_kind[key.kind(r.current.question)])
    answer_all(out, "R2", lambda r: "4")
    report = told(out, model)
    rows = {(r["reader"], r["kind"]): r for r in report["scores"]}
    assert rows["R1", "elastic"]["score"] == 1 and rows["R1", "elastic"]["area"] == 1
    assert rows["R1", "real"]["area"] is None and rows["R2", "generated"]["area"] == 0.5
    assert rows["R1", "generated"]["judged_real"] == 1
    assert rows["R1", "generated"]["judged_low"] == pytest.approx(proportion_interval(3, 3)[0])
    assert rows["all", "elastic"]["score"] == 2.5 and rows["all", "elastic"]["area"] == 0.75
    (agreed,) = report["agreement"]
    assert agreed["measure"] == "Cohen, quadratic weights" and agreed["kappa"] == 0
    assert "| score 4 or 5, % |" in capsys.readouterr().out


def test_without_answers_the_pictures_are_reported(pairs, model, capsys):
    report = told(pairs, model)
    assert report["readers"] == {} and report["accuracy"] == []
    kinds = {row["kind"]: row["pictures"] for row in report["pictures"]}
    assert kinds == {"real": 6, "generated": 3, "elastic": 3}
    assert "No answers yet, 6 questions." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(",R1,", ",R0,"), "two files of reader R0"),
        (lambda text: text.replace(text.splitlines()[1].split(",")[0], "ffffffff"), "another test"),
        (lambda text: text.replace(",a,", ",c,").replace(",b,", ",c,"), "answer c to"),
        (lambda text: text.replace("seconds", "time"), "no file of answers"),
    ],
)
def test_answers_that_do_not_fit_are_refused(test_folder, model, tmp_path, capsys, change, message):
    answer_all(test_folder, "R0", guess(1))
    answer_all(test_folder, "R1", guess(2))
    path = test_folder / "answers" / "R1.csv"
    (tmp_path / "R1.csv").write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    path.unlink()
    given = ["--report-only", "--answers", str(tmp_path / "R1.csv")]
    assert prepare(test_folder, model, test_folder, *given) == 2
    assert message in capsys.readouterr().err
