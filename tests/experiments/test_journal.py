"""The journal of a run: what is kept, resumed and refused, and the lines of earlier versions."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from src_core.errors import ArgumentError, InputError
from src_core.experiments.journal import Journal
from src_core.experiments.records import Record, Trial
from src_core.tasks.stored import EvaluationNames

#: Lines as earlier versions wrote them.
EVALUATION = (
    '{"case": "a_ed", "level": 48, "records": [{"case": "a_ed", "subject": "a", "level": 48, '
    '"seed": 1, "row": "no network", "steps": 0, "figures": {"max": 9.5, "agreement": null}}, '
    '{"case": "a_ed", "subject": "a", "level": 48, "seed": 0, "row": "recovered", "steps": 8, '
    '"figures": {"shared": 0.25}}]}\n'
)
TASK = (
    '{"case": "drdm+real 2", "level": 5, "records": [{"case": "t_ed to t_es", "subject": "t", '
    '"level": 5, "seed": 2, "row": "drdm+real", "steps": 20, "figures": {"dsc 1": 0.5, '
    '"asd 1": null}}]}\n'
)


def earlier(folder: Path, lines: str) -> Path:
    (folder / "run.json").write_text('{"digest": "d", "times": 2}\n', encoding="utf-8")
    (folder / "records.jsonl").write_text(lines, encoding="utf-8")
    return folder


def trial(case: str, value: float = 1.0) -> Trial:
    records = tuple(
        Record(case, case[0], {"organ": "liver", "seed": seed}, {"volume": value + seed})
        for seed in (1, 2)
    )
    return Trial({"patient": case, "organ": "liver"}, records)


def test_lines_of_an_earlier_evaluation_are_read_and_written_again(tmp_path):
    journal = Journal(earlier(tmp_path, EVALUATION), "d", {}, resume=True)
    (found,) = journal.trials
    first, second = found.records
    assert found.key == ("a_ed", 48)
    assert (first["row"], first["level"], first["seed"], first["steps"]) == ("no network", 48, 1, 0)
    assert math.isnan(first.figures["agreement"]) and first.figures["max"] == 9.5
    assert (second["row"], second["steps"], second.subject) == ("recovered", 8, "a")
    journal.add(found)
    assert (tmp_path / "records.jsonl").read_text(encoding="utf-8") == 2 * EVALUATION


def test_lines_of_an_earlier_task_are_read_in_its_own_words_and_written_again(tmp_path):
    names = EvaluationNames(steps=20)
    journal = Journal(earlier(tmp_path, TASK), "d", {}, resume=True, trial_format=names)
    (found,) = journal.trials
    (record,) = found.records
    assert found.keys == {"method": "drdm+real", "seed": 2, "subjects": 5}
    assert record.keys == {"method": "drdm+real", "subjects": 5, "seed": 2}
    assert record.case == "t_ed to t_es" and math.isnan(record.figures["asd 1"])
    journal.add(found)
    assert (tmp_path / "records.jsonl").read_text(encoding="utf-8") == 2 * TASK


def test_an_experiment_keeps_its_own_words_on_disk(tmp_path):
    journal = Journal(tmp_path / "run", "d", {"model": "m"})
    journal.add(trial("a1"))
    line = json.loads((tmp_path / "run" / "records.jsonl").read_text(encoding="utf-8"))
    assert line == {
        "patient": "a1",
        "organ": "liver",
        "records": [
            {
                "case": "a1",
                "subject": "a",
                "organ": "liver",
                "seed": s,
                "figures": {"volume": 1 + s},
            }
            for s in (1, 2)
        ],
    }
    again = Journal(tmp_path / "run", "d", {}, resume=True)
    assert again.trials == journal.trials and set(again.by_key()) == {("a1", "liver")}
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts == {"digest": "d", "model": "m"}


def test_a_line_cut_short_is_dropped_and_the_next_one_stands_alone(tmp_path):
    folder = tmp_path / "run"
    journal = Journal(folder, "d", {})
    journal.add(trial("a1"))
    whole = (folder / "records.jsonl").read_bytes()
    journal.add(trial("b1"))
    text = (folder / "records.jsonl").read_bytes()
    (folder / "records.jsonl").write_bytes(text[: len(whole) + 30])
    again = Journal(folder, "d", {}, resume=True)
    assert [t.key for t in again.trials] == [("a1", "liver")]
    again.add(trial("b1"))
    assert (folder / "records.jsonl").read_bytes() == text


def test_another_digest_or_a_full_folder_is_refused_and_left_as_it_is(tmp_path):
    folder = tmp_path / "run"
    Journal(folder, "d", {}).add(trial("a1"))
    before = {p: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(InputError, match="had another model, data set or options"):
        Journal(folder, "other", {}, resume=True)
    with pytest.raises(InputError, match="not empty"):
        Journal(folder, "d", {})
    assert {p: p.read_bytes() for p in folder.iterdir()} == before
    assert Journal(folder, "other", {}, overwrite=True).trials == []
    assert not (folder / "records.jsonl").exists()


def test_a_key_may_not_hide_an_attribute():
    with pytest.raises(ArgumentError, match="subject"):
        Record("a1", "a", {"subject": "b"})
