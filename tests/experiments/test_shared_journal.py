"""Processes that share a run: a file of trials each, all of them read."""

from __future__ import annotations

from pathlib import Path

from src_core.experiments.journal import Journal
from src_core.experiments.records import Record, Trial


def trial(name: str) -> Trial:
    keys = {"organ": name}
    return Trial(keys, (Record("a", "a", keys, {"volume": 1.5}),))


def opened(folder: Path, process: int) -> Journal:
    return Journal(folder, "d", {}, resume=True, process=process)


def test_each_process_writes_its_own_file_and_a_later_call_reads_all(tmp_path):
    first, second = opened(tmp_path, 1), opened(tmp_path, 2)
    first.add(trial("liver"))
    second.add(trial("spleen"))
    names = sorted(path.name for path in tmp_path.glob("records*"))
    assert names == ["records-1.jsonl", "records-2.jsonl"]
    assert set(opened(tmp_path, 0).by_key()) == {("liver",), ("spleen",)}
    Journal(tmp_path, "e", {}, overwrite=True)
    assert not list(tmp_path.glob("records*"))


def test_a_line_that_another_process_has_not_finished_stays(tmp_path):
    opened(tmp_path, 2).add(trial("spleen"))
    other = tmp_path / "records-2.jsonl"
    half = other.read_bytes() + b'{"organ": "li'
    other.write_bytes(half)
    assert set(opened(tmp_path, 1).by_key()) == {("spleen",)}
    assert other.read_bytes() == half
    assert set(opened(tmp_path, 2).by_key()) == {("spleen",)}
    assert other.read_bytes() == half[: half.rfind(b"\n") + 1]
