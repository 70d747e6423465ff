"""A saved run prints its table, continues with more steps, and trains where the images are not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from src_core.cli import run as drdm

pytest.importorskip("monai")
from src_core.tasks.registration.run import PreparedRegistration
from src_core.tasks.task import run_task
from tests.support.files import rows_of
from tests.support.registration_runs import LITTLE, done, request, write_data

METHODS = ("none", "none+real", "drdm", "drdm+mixed")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two subjects to train on, one to validate and one to test."""
    return write_data(tmp_path, {"train": "ab", "val": "c", "test": "d"})


def words(data: Path, source: str = "", **more: object) -> list[str]:
    options = {"model": "tiny", "methods": ",".join(METHODS), "every": 2, **LITTLE, **more}
    folders = [str(data / (source or part)) for part in ("train", "test")]
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in options.items() if v is not True]
    return [
        "task",
        "registration",
        *folders,
        *flags,
        *(f"--{k}" for k, v in more.items() if v is True),
    ]


@pytest.mark.slow
def test_a_saved_run_prints_its_table_with_curves_and_continues(tiny_models, data, capsys):
    out, val = str(data / "out"), str(data / "val")
    begin = words(data, out=out, validation=val)
    assert drdm(begin) == 0
    first = capsys.readouterr().out
    assert drdm([*begin, "--resume"]) == 0
    assert capsys.readouterr().out == first
    rows = rows_of(data / "out" / "curves.csv")
    by_method = {m: [r for r in rows if r["method"] == m] for m in METHODS}
    assert [int(r["step"]) for r in by_method["drdm"]] == [0, 2, 3]
    assert [int(r["step"]) for r in by_method["drdm+mixed"]] == [3, 5]
    assert [int(r["step"]) for r in by_method["none+real"]] == [0, 2, 4, 5]
    assert by_method["drdm"][-1]["dsc"] == by_method["drdm+mixed"][0]["dsc"] != ""
    assert "| drdm+mixed | 3 to 5 |" in first and "| drdm+mixed less none+real |" in first
    longer = words(data, out=out, validation=val, tuning=4, resume=True)
    assert drdm(longer) == 0
    assert "| drdm+mixed | 3 to 7 |" in capsys.readouterr().out
    whole = request(data, "whole", methods=METHODS, tuning=4, every=2, validation=data / "val")
    again = json.loads((data / "out" / "results.json").read_text(encoding="utf-8"))
    report = done(whole)
    assert again["means"] == report["means"] and again["curves"][-1] == report["curves"][-1]
    capsys.readouterr()
    assert drdm([*begin, "--resume"]) == 0
    assert capsys.readouterr().out.splitlines()[:6] == first.splitlines()[:6]


@pytest.mark.slow
def test_a_prepared_folder_trains_without_the_images(tiny_models, data, capsys):
    watched = {"every": 2, "validation": data / "val"}
    plain = done(request(data, "plain", methods=METHODS, **watched))
    packed = data / "packed"
    fields = {"fields": str(packed), "out": str(data / "made")}
    assert drdm(words(data, prepare=True, validation=str(data / "val"), **fields)) == 0
    assert not (data / "made" / "records.jsonl").exists()
    for part in ("train", "val", "test"):
        shutil.rmtree(data / part)
    capsys.readouterr()

    def moved(out: str, **more: object) -> int:
        asked = {"fields": str(packed), "out": str(data / out), **more}
        return drdm(words(data, "packed/cases.csv", **asked))

    assert moved("moved") == 0
    found = json.loads((data / "moved" / "results.json").read_text(encoding="utf-8"))
    assert found["means"] == plain["means"] and found["curves"] == plain["curves"]
    assert moved("x", times=3) == 2
    assert "its deformations were made with other options" in capsys.readouterr().err
    assert moved("y", part=0.5) == 2
    assert "prepared for another model, size or part" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_share_the_trainings_of_a_run(tiny_models, data):
    asked = {"methods": METHODS, "resume": True, "fields": data / "fields"}
    for number in (1, 2):
        job = PreparedRegistration(request(data, "out", process=(number, 2), **asked))
        assert list(run_task(job)) and job.report == {}
    files = [(data / "out" / f"records-{n}.jsonl").read_text(encoding="utf-8") for n in (1, 2)]
    methods = [[json.loads(line)["method"] for line in text.splitlines()] for text in files]
    assert methods == [["none", "none+real"], ["drdm", "drdm+mixed"]]
    report = done(request(data, "out", **asked))
    assert {m["method"] for m in report["means"]} == set(METHODS)


def test_validation_subjects_are_apart_from_the_others(tiny_models, data):
    with pytest.raises(ValueError, match="1 subjects are in the validation and the other cases"):
        PreparedRegistration(request(data, "out", validation=data / "test"))
    assert PreparedRegistration(request(data, "out", overwrite=True)).data.subjects == 2
