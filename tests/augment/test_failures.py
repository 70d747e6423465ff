"""An augmentation of which a case fails, cannot be written, or fills the disk."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from src_core.augment import augment, make_plan
from src_core.augment import jobs as work
from src_core.augment.layouts import layout
from src_core.augment.run_folder import read_index
from src_core.errors import InputError
from src_core.models.model import Model
from tests.support.augmenting import asked, leftovers
from tests.support.rings import save_ring


def test_a_case_that_fails_stops_no_other(data: Path, model: Model, tmp_path: Path) -> None:
    save_ring(tmp_path / "set", "a", 5)
    save_ring(tmp_path / "set", "c", 5)
    (tmp_path / "set" / "images" / "b.nii.gz").write_text("no image")
    out = tmp_path / "out"
    found = list(augment(make_plan(asked(tmp_path / "set", out), model), model))
    assert [m.state for m in found] == ["made"] * 2 + ["failed"] * 2 + ["made"] * 2
    assert "b.nii.gz" in found[2].message and "\n" not in found[2].message
    with (out / "failures.csv").open(newline="") as table:
        assert [row["name"] for row in csv.DictReader(table)] == ["b-001", "b-002"]
    assert [Path(r["image"]).parent.name[0] for r in read_index(out)] == list("aacc")

    save_ring(tmp_path / "set", "b", 5)
    mended = list(augment(make_plan(asked(tmp_path / "set", out, resume=True), model), model))
    assert [m.state for m in mended] == ["kept"] * 2 + ["made"] * 2 + ["kept"] * 2
    assert not (out / "failures.csv").exists()


def test_a_case_that_cannot_be_written_leaves_nothing(
    data: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = layout.os.replace

    def fails(source: Path, target: Path) -> None:
        if Path(target).parent.name == "images":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(layout.os, "replace", fails)
    out = tmp_path / "out"
    plan = make_plan(asked(data, out, formats=("nifti",), per_case=1), model)
    found = list(augment(plan, model))
    assert {m.state for m in found} == {"failed"} and "No space left" in found[0].message
    left = {p.name for p in out.rglob("*") if p.is_file()}
    assert left == {
        "augment.json",
        "manifest.jsonl",
        "index.csv",
        "failures.csv",
    } and not leftovers(out)


def test_the_run_stops_when_the_disk_is_full(
    data: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter([10**9, 10**9, 1000])
    monkeypatch.setattr(work, "free_bytes", lambda _: next(room))
    going = augment(make_plan(asked(data, tmp_path / "out"), model), model)
    assert [next(going).state, next(going).state] == ["made", "made"]
    with pytest.raises(InputError, match=r"disk is full \(1 kB left\)"):
        next(going)
    assert len(read_index(tmp_path / "out")) == 2
