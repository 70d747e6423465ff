"""``drdm augment``: what it reports, its exit codes, one line an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src_core.augment import products as kinds
from src_core.augment.run_folder import read_index
from src_core.datasets.reading import read_dataset
from tests.support.augmenting import leftovers, shell
from tests.support.rings import save_ring


def test_the_shell_says_what_it_made(
    data: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert shell(data, out, file, "--levels", "40", "--format", "nifti", "--json") == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert {k: summary[k] for k in ("made", "kept", "failed")} == {
        "made": 3,
        "kept": 0,
        "failed": 0,
    }
    assert Path(summary["sheet"]).is_file() and len(read_dataset(summary["index"])) == 3
    assert "3 new cases of 3, at most 178 kB before compression" in captured.err
    assert {row["level"] for row in read_index(out)} == {"40"}
    assert shell(data, out, file, "--levels", "40", "--format", "nifti", "--resume") == 0
    assert "made 0, kept 3, failed 0" in capsys.readouterr().out


def test_the_shell_exits_with_one_where_a_case_is_missing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ring(tmp_path / "set", "a", 5)
    (tmp_path / "set" / "images" / "b.nii.gz").write_text("no image")
    assert shell(tmp_path / "set", tmp_path / "out", file) == 1
    printed = capsys.readouterr().err
    assert "failed: b: this is not a NIfTI file" in printed and "Traceback" not in printed
    assert (
        "error: 1 new cases are missing" in printed
        and "note: 1 of 2 cases have no labels" in printed
    )


def test_cancelled_from_the_keyboard(
    data: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    real, calls = kinds.iterate, iter(range(9))

    def interrupted(*given: object, **options: object) -> object:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(kinds, "iterate", interrupted)
    assert shell(data, tmp_path / "out", file) == 130
    assert "--resume" in capsys.readouterr().err
    assert len(read_index(tmp_path / "out")) == 2 and not leftovers(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--levels", "70:30"], "70:30 is not possible"),
        (["--levels", "strong"], "lowest:highest"),
        (["--levels", "30:90"], "level 90 does not exist"),
        (["--per-case", "0"], "--per-case"),
        (["--format", "dicom"], "no format called dicom"),
        (["--steps", "0"], "0 is not possible, --steps, expected 1 or more"),
        (["--split", "train"], "no case of the split train"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(
    data: Path, file: Path, tmp_path: Path, words: list[str], message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert shell(data, tmp_path / "out", file, *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err and len(captured.err.splitlines()) == 1 and not captured.out
    assert not (tmp_path / "out").exists()


def test_a_folder_with_content_stays_as_it_is(
    data: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert shell(data, tmp_path / "out", file) == 2
    assert shell(data, tmp_path / "out", file, "--resume") == 2
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]
