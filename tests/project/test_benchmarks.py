"""The table of speed: its arithmetic, what it says of what is missing, and a run of all rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.field_rows import random_displacement, torch_displacement
from benchmarks.page import section, write_section
from benchmarks.table import COLUMNS, OURS, Goal, Row, lines_of
from benchmarks.timing import Figure, in_turns
from tests.support.paths import ROOT


def test_works_are_run_in_turns_after_a_first_run_of_each() -> None:
    order: list[str] = []
    works = {name: lambda n=name: order.append(n) for name in "ab"}
    figures = in_turns(works, budget=1.0)
    assert order[:4] == ["a", "a", "b", "b"]  # loaded, then measured for memory
    assert order[4:] == ["a", "b"] * (len(order) // 2 - 2) and len(order) > 8
    assert len(figures["a"].seconds) == len(figures["b"].seconds) == len(order) // 2 - 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is counted on Linux")
def test_memory_is_what_a_run_takes_above_what_was_held() -> None:
    def work() -> float:
        return float(torch.ones(16 << 20, dtype=torch.float32).sum())

    memory = in_turns({"work": work}, budget=0.0)["work"].memory
    if memory is None:
        pytest.skip("this system does not count it")
    assert 60 << 20 < memory < 90 << 20


def test_median_and_quartiles() -> None:
    figure = Figure((5.0, 1.0, 2.0, 3.0, 4.0), None)
    assert figure.median == 3 and figure.quartiles == (2, 4)


def test_goals_in_seconds_are_of_one_thing_and_others_of_a_peer() -> None:
    figures = {OURS: Figure((1.0,), None), "other": Figure((3.0,), None)}
    assert Goal(0.5).met(figures, per=2) is True and Goal(0.5).met(figures, per=1) is False
    assert Goal(0.4, "other").met(figures, per=1) is True
    assert Goal(0.3, "other").met(figures, per=1) is False
    assert Goal(0.3, "absent").met(figures, per=1) is None


def absent() -> object:
    import no_such_package_at_all  # type: ignore[import-not-found]

    return no_such_package_at_all


def test_a_peer_that_is_not_installed_has_a_line() -> None:
    row = Row("work", lambda: lambda: None, {"peer": absent}, Goal(1.0, "peer"))
    ours, peer = lines_of(row, budget=0.01)
    assert ours[:2] == ("work", OURS) and ours[-2:] == ("<= 1 x peer", "peer missing")
    assert peer[:3] == ("", "peer", "not installed: no_such_package_at_all")
    assert len(ours) == len(peer) == len(COLUMNS)


def test_a_model_that_is_not_there_has_a_line() -> None:
    def prepare() -> object:
        raise FileNotFoundError(2, "no such file", "/somewhere/model.safetensors")

    (line,) = lines_of(Row("work", prepare), budget=0.0)
    assert line[:3] == ("work", OURS, "not there: model.safetensors")


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    page, line = tmp_path / "README.md", ("work", OURS, "1 ms", "", "", "", "", "")
    write_section(page, section("First", [line], "command one"))
    write_section(page, section("Second", [line], "command two"))
    write_section(page, section("First", [("other", *line[1:])], "command one"))
    text = page.read_text()
    assert [part.partition("\n")[0] for part in text.split("\n## ")] == [
        "# Speed",
        "First",
        "Second",
    ]
    assert text.count("| work | napari-drdm | 1 ms |") == text.count("| other | napari-drdm |") == 1
    assert text.count("    command one\n") == text.count("    command two\n") == 1


@pytest.mark.parametrize("shape", [(32, 32), (16, 16, 16)])
def test_ten_lines_of_torch_make_the_same_random_field(shape: tuple[int, ...]) -> None:
    ours, theirs = random_displacement(shape), torch_displacement(shape)
    assert ours.abs().max() > 0.1
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_quick_run_prints_and_writes_all_kinds_of_work(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    words = [sys.executable, "-m", "benchmarks", "--quick", "--write", "--page", str(page)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    printed = [line.split("\t") for line in ran.stdout.splitlines()]
    assert {len(line) for line in printed} == {len(COLUMNS)} and tuple(printed[0]) == COLUMNS
    work = [line[0] for line in printed[1:] if line[0]]
    for kind in ("random", "warp", "composition", "inverse", "Jacobian", "certificate", "read"):
        assert any(kind in name for name in work), kind
    for kind in ("write", "certified result", "phantom", "augment", "live", "bank", "batch"):
        assert any(kind in name for name in work), kind
    assert all(f"| {' | '.join(line)} |" in page.read_text() for line in printed)
