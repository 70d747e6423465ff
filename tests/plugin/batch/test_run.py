"""A batch without its dock: the bits of the shell, the time left, the end."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from napari_drdm.batch.run import BatchEnd, RunControl, run_batch
from src_core.augment import Request
from tests.support.batches import finish


def test_the_dock_and_the_shell_make_the_same_bits(model: Path, data: Path, tmp_path: Path) -> None:
    from src_core.cli import run

    request = Request(data, tmp_path / "out", per_case=1, levels=(30, 50), formats=("nifti",))
    out = tmp_path / "out"
    assert finish(run_batch(request, model, RunControl()))[1] == BatchEnd(
        made=2, sheet=out / "contact-sheet.png", summary=out / "summary.html"
    )
    words = ["--per-case", "1", "--levels", "30:50", "--format", "nifti", "--model", str(model)]
    assert run(["augment", str(data), "--out", str(tmp_path / "shell"), *words]) == 0
    for made in sorted((tmp_path / "out" / "images").iterdir()):
        assert made.read_bytes() == (tmp_path / "shell" / "images" / made.name).read_bytes()


def test_time_left_falls_to_nothing(model: Path, data: Path, tmp_path: Path) -> None:
    updates, _ = finish(run_batch(Request(data, tmp_path / "o", per_case=2), model, RunControl()))
    known = [u.seconds_left for u in updates if u.seconds_left is not None]
    assert known[-1] == 0 and known[0] > 0
    assert [u.done for u in updates] == sorted(u.done for u in updates)


@pytest.mark.parametrize(
    ("asked", "expected"), [(RunControl.end, "Finished: 2 made"), (RunControl.pause, "2 made")]
)
def test_what_is_asked_after_the_last_case_finds_it_finished(
    model: Path, data: Path, tmp_path: Path, asked, expected: str
) -> None:
    gate = RunControl()
    going = run_batch(Request(data, tmp_path / "o", per_case=1), model, gate)
    while next(going).done < 2:
        pass
    asked(gate)
    rest, ended = finish(going)
    assert not rest and ended.left == 0 and ended.text() == expected
    assert BatchEnd(made=1, cancelled=True, left=1).text() == "Cancelled: Start continues. 1 made"
