"""Trainings shared by several processes: by units, each once; results by a call for all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from src_core.errors import InputError
from src_core.experiments.journal import Journal
from src_core.experiments.records import Record, StageProgress, Trial
from src_core.tasks import task
from src_core.tasks.options import parse_process
from src_core.tasks.task import own_trials, run_task

KEYS = [(method, seed) for seed in (1, 2) for method in ("a", "b", "b+", "c")]


class Request:
    def __init__(self, process=(1, 1), prepare=False):
        self.process, self.prepare = process, prepare


class Prepared:
    """A trial is a method and a seed; ``b+`` follows ``b``."""

    def __init__(self, folder, **options):
        self.request, self.report = Request(**options), {}
        number, count = self.request.process
        process = number if count > 1 else 0
        self.journal = Journal(folder, "d", {}, resume=True, process=process)
        self.loaded, self.written = None, 0

    def trials(self):
        return KEYS

    def unit(self, key):
        return key[0][0], key[1]

    def load(self, missing):
        self.loaded = list(missing)
        yield StageProgress("cases", 1, 1)

    def measure(self, key):
        keys = {"method": key[0], "seed": key[1]}
        yield Trial(keys, (Record("x", "x", keys, {}),))

    def write(self, records):
        self.written += 1
        self.report = {"trials": [(r["method"], r["seed"]) for r in records]}


def test_units_are_dealt_out_whole_and_each_once(tmp_path):
    prepared = Prepared(tmp_path)
    dealt = [own_trials(prepared, (i, 4)) for i in range(1, 5)]
    assert dealt[1] == [("b", 1), ("b+", 1), ("c", 2)] and dealt[0] == [
        ("a", 1),
        ("b", 2),
        ("b+", 2),
    ]
    assert sorted(key for keys in dealt for key in keys) == sorted(KEYS)
    assert own_trials(prepared, (9, 9)) == []


def test_processes_measure_their_own_and_a_last_call_reports_all(tmp_path):
    for number in (2, 1):
        prepared = Prepared(tmp_path, process=(number, 2))
        assert list(run_task(prepared)) and prepared.written == 0
        assert prepared.loaded == own_trials(prepared, (number, 2))
    last = Prepared(tmp_path)
    assert list(run_task(last)) and last.loaded == []
    assert last.report["trials"] == KEYS


def test_results_are_written_once_a_minute_at_the_end_and_where_a_run_stops(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr(task, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    slow = Prepared(tmp_path / "slow")
    assert list(run_task(slow)) and slow.report["trials"] == KEYS
    # each look takes 40 s, a trial that is written two looks: every other one, and the last
    assert slow.written == 5
    monkeypatch.setattr(task, "time", SimpleNamespace(monotonic=lambda: 0.0))
    quick = Prepared(tmp_path / "quick")
    assert list(run_task(quick)) and quick.written == 2
    assert quick.report["trials"] == KEYS
    stopped = Prepared(tmp_path / "stopped")
    measure = Prepared.measure

    def stopping(self, key):
        if key == KEYS[3]:
            raise KeyboardInterrupt
        yield from measure(self, key)

    monkeypatch.setattr(Prepared, "measure", stopping)
    with pytest.raises(KeyboardInterrupt):
        list(run_task(stopped))
    assert stopped.written == 2 and stopped.report["trials"] == KEYS[:3]


def test_preparing_loads_and_measures_nothing(tmp_path):
    prepared = Prepared(tmp_path, prepare=True)
    assert list(run_task(prepared)) and prepared.loaded == KEYS
    assert prepared.journal.trials == [] and prepared.written == 0


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "1/0"])
def test_a_process_is_one_of_several(text):
    assert parse_process("2/4") == (2, 4)
    with pytest.raises(InputError, match=r"process, expected I/N with I of 1 to N"):
        parse_process(text)
