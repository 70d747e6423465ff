"""Wrong input to the shell: one line, exit code 2, nothing left behind."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run
from tests.support.shell_files import Boom, rings, volume, write


def missing(folder: Path) -> list[str]:
    return [str(folder / "nowhere.nii.gz")]


def text_file(folder: Path) -> list[str]:
    (folder / "bad.nii.gz").write_text("this is no image")
    return [str(folder / "bad.nii.gz")]


def truncated(folder: Path) -> list[str]:
    whole = write(folder / "bad.nii.gz", volume()).read_bytes()
    (folder / "bad.nii.gz").write_bytes(whole[: len(whole) // 2])
    return [str(folder / "bad.nii.gz")]


def empty_gzip(folder: Path) -> list[str]:
    (folder / "bad.nii.gz").write_bytes(gzip.compress(b""))
    return [str(folder / "bad.nii.gz")]


def hundred_gigabytes(folder: Path) -> list[str]:
    header = nib.Nifti1Header()
    header.set_data_shape((5000, 5000, 1000))
    header.set_data_dtype(np.float32)
    (folder / "bad.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(100)))
    return [str(folder / "bad.nii.gz")]


def not_a_number(folder: Path) -> list[str]:
    data = volume().astype(np.float32)
    data[3, 4, 1] = np.nan
    return [str(write(folder / "bad.nii.gz", data))]


def constant(folder: Path) -> list[str]:
    return [str(write(folder / "bad.nii.gz", np.full((40, 52, 3), 7, np.int16)))]


def other_shape(folder: Path) -> list[str]:
    seg = write(folder / "bad.nii.gz", rings((40, 50, 3)))
    return [str(folder / "case.nii.gz"), "--labels", str(seg)]


def fractional(folder: Path) -> list[str]:
    seg = write(folder / "bad.nii.gz", rings() + np.float32(0.5))
    return [str(folder / "case.nii.gz"), "--labels", str(seg)]


def one_voxel_axis(folder: Path) -> list[str]:
    return [
        str(
            write(
                folder / "bad.nii.gz", volume((1, 52, 3)) + np.arange(52, dtype=np.int16)[:, None]
            )
        )
    ]


def option(*words: str) -> Callable[[Path], list[str]]:
    def arguments(folder: Path) -> list[str]:
        return [str(folder / "case.nii.gz"), *words]

    arguments.__name__ = "".join(words)
    return arguments


def harmful(suffix: str) -> Callable[[Path], list[str]]:
    def arguments(folder: Path) -> list[str]:
        (folder / f"bad{suffix}").write_bytes(pickle.dumps(Boom()))
        return [str(folder / "case.nii.gz"), "--model", str(folder / f"bad{suffix}")]

    arguments.__name__ = f"pickle{suffix}"
    return arguments


def read_only(folder: Path) -> list[str]:
    (folder / "locked").mkdir(mode=0o555)
    return [str(folder / "case.nii.gz"), "--out", str(folder / "locked" / "out")]


def with_content(folder: Path) -> list[str]:
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("keep me")
    return [str(folder / "case.nii.gz"), "--out", str(folder / "full")]


WRONG = [
    missing, text_file, truncated, empty_gzip, hundred_gigabytes, not_a_number, constant,
    other_shape, fractional, one_voxel_axis, read_only, with_content,
    option("--level", "81"), option("--level", "-1"), option("--steps", "0"),
    option("--model", "unknown"), option("--device", "abacus"), option("--max-mm", "-3"),
    option("--level", "3", "--max-mm", "3"), option("--nonsense"),
    harmful(".pth"), harmful(".safetensors"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=lambda f: f.__name__)
def test_wrong_input_is_one_line_and_leaves_nothing(
    arguments: Callable[[Path], list[str]],
    image: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = arguments(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    out = [] if "--out" in words else ["--out", str(tmp_path / "out")]
    assert run(["generate", *words, *out]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1 and lines[0].startswith("error: "), captured.err
    assert "Traceback" not in captured.err and captured.out == ""
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_harmful_pickle_is_not_imported_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Boom()))
    assert run(["models", "import", "bad.pth"]) == 2
    assert not (tmp_path / "executed").exists()
    assert capsys.readouterr().err.count("\n") == 1
