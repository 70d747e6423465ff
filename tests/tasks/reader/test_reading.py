"""A reader's way through a test: order, answers on the disk, corrections, crashes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from src_core.errors import ArgumentError, InputError
from src_core.tasks.reader import answers
from src_core.tasks.reader.answers import answer_path, read_answers
from src_core.tasks.reader.plan import order_for, read_plan
from src_core.tasks.reader.reading import ReadingProgress
from tests.support.files import bytes_of, rows_of
from tests.support.reader_tests import answer_all, bare_test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bare_test(tmp_path / "test", 8)


def test_readers_get_the_same_questions_in_orders_of_their_own(folder):
    plan = read_plan(folder)
    one, other = (order_for(plan, reader) for reader in ("R1", "R2"))
    assert order_for(plan, "R1") == one != other
    assert {s.question for s in one} == {s.question for s in other} == set(plan.questions)
    assert [s.question for s in one] != [s.question for s in other]
    for order in (one, other):
        assert Counter(s.left for s in order) == {"a": 4, "b": 4}


def test_the_seed_of_the_plan_decides_the_order(folder, tmp_path):
    again = bare_test(tmp_path / "again", 8, seed=2)
    assert order_for(read_plan(folder), "R1") != order_for(read_plan(again), "R1")


def test_pictures_stand_as_the_answer_names_them(folder):
    reading = ReadingProgress(folder, "R1")
    left, right = (path.stem[-1] for path in reading.pictures)
    assert left == reading.current.left != right
    name = reading.current.question.name
    reading.answer("right", 2.34567)
    (row,) = rows_of(folder / "answers" / "R1.csv")
    assert row["answer"] == right and row["left"] == left and row["item"] == name
    assert row["seconds"] == "2.346" and row["reader"] == "R1" and row["test"] == "0123abcd"
    assert row["kind"] == row["correct"] == ""  # the folder came without a key
    assert row["date"][:2] == "20" and row["corrections"] == "0"


def test_scores_are_kept_as_they_are(tmp_path):
    reading = ReadingProgress(bare_test(tmp_path / "test", 3, "score"), "R1")
    assert len(reading.pictures) == 1 and reading.current.left == ""
    reading.answer("4", 1)
    with pytest.raises(ArgumentError, match="'choice'"):
        reading.answer("6", 1)
    with pytest.raises(ArgumentError, match="'choice'"):
        reading.answer("left", 1)
    (row,) = rows_of(tmp_path / "test" / "answers" / "R1.csv")
    assert row["answer"] == "4"


def test_a_correction_takes_the_place_of_the_answer(folder):
    reading = ReadingProgress(folder, "R1")
    assert not reading.back() and reading.given == ""
    first, second = (reading._order[i].question.name for i in (0, 1))
    reading.answer("left", 1)
    reading.answer("left", 1)
    assert reading.back() and reading.given == "left" and reading.current.question.name == second
    assert reading.back() and reading.current.question.name == first
    reading.answer("right", 1)
    assert reading.place == 2
    rows = rows_of(folder / "answers" / "R1.csv")
    assert [(r["item"], r["corrections"]) for r in rows] == [(first, "1"), (second, "0")]
    assert ReadingProgress(folder, "R1").place == 2


def test_a_reader_continues_where_the_answers_end(folder):
    reading = ReadingProgress(folder, "R1")
    order = [s.question.name for s in reading._order]
    for _ in range(3):
        reading.answer("left", 1)
    again = ReadingProgress(folder, "R1")
    assert again.place == again.answered == 3 and again.current.question.name == order[3]
    done = answer_all(folder, "R1", lambda r: "right")
    assert done.done and done.answered == done.total == 8 and done.given == ""
    assert [r["item"] for r in rows_of(folder / "answers" / "R1.csv")] == order


def test_a_crash_at_any_moment_leaves_whole_answers(folder, monkeypatch):
    """The process ends while the file is written, before it is moved, or at the move."""
    reading = ReadingProgress(folder, "R1")
    reading.answer("left", 1)
    before = bytes_of(folder / "answers")
    for moment in ("fsync", "replace"):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(f"os.{moment}", _crash)
            reading.answer("right", 1)
        assert bytes_of(folder / "answers")["R1.csv"] == before["R1.csv"]
    again = ReadingProgress(folder, "R1")
    assert again.answered == 1
    again.answer("right", 1)
    assert len(read_answers(folder / "answers" / "R1.csv")) == 2


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_cannot_be_written_keeps_the_question(folder, monkeypatch):
    reading = ReadingProgress(folder, "R1")
    reading.answer("left", 1)
    name = reading.current.question.name
    with monkeypatch.context() as patched:
        patched.setattr(answers, "open_atomically", _full)
        with pytest.raises(InputError, match="no space"):
            reading.answer("left", 1)
    assert reading.current.question.name == name and reading.answered == 1
    reading.answer("left", 1)
    assert reading.answered == 2


def _full(path: Path) -> None:
    raise InputError("no space", where=str(path))


def test_two_windows_of_one_reader_never_overwrite_each_other(folder):
    one, other = ReadingProgress(folder, "R1"), ReadingProgress(folder, "R1")
    one.answer("left", 1)
    with pytest.raises(InputError, match="changed by another window"):
        other.answer("right", 1)
    assert len(read_answers(folder / "answers" / "R1.csv")) == 1


def test_names_become_file_names_that_never_meet(folder):
    names = ["Dr. Å/Ö", "Dr. A/O", "..", "R1", "R 1"]
    paths = {answer_path(folder, name) for name in names}
    assert len(paths) == len(names) and {p.parent for p in paths} == {folder / "answers"}
    ReadingProgress(folder, "Dr. Å/Ö").answer("left", 1)
    assert rows_of(answer_path(folder, "Dr. Å/Ö"))[0]["reader"] == "Dr. Å/Ö"
    with pytest.raises(InputError, match="no name"):
        ReadingProgress(folder, "  ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "no file of answers"),
        ("{head}\nffffffff,R1,d,001,,a,,1.0,a,0\n", "another test"),
        ("{head}\n0123abcd,r1,d,001,,a,,1.0,a,0\n", "those of r1"),
        ("{head}\n0123abcd,R1,d,001\n", "no file of answers"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(folder, content, message):
    path = folder / "answers" / "R1.csv"
    path.parent.mkdir()
    head = "test,reader,date,item,kind,answer,correct,seconds,left,corrections"
    path.write_text(content.replace("{head}", head), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(InputError, match=message):
        ReadingProgress(folder, "R1")
    assert path.read_bytes() == before


def test_a_folder_that_is_no_whole_test_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no reader test"):
        ReadingProgress(tmp_path, "R1")
    (folder / "pictures" / "003b.png").unlink()
    with pytest.raises(InputError, match="picture is missing"):
        ReadingProgress(folder, "R1")
    (folder / "plan.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="plan cannot be read"):
        ReadingProgress(folder, "R1")
