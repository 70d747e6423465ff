"""Data sets, options and output folders that are not possible: one clear line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from src_core.augment import jobs as work
from src_core.augment.manifest import lines
from src_core.cli import run
from src_core.io.hashing import sha256_file
from tests.support.augment_shell import shell
from tests.support.rings import save_ring

CSV = "image,labels\nimages/a.nii.gz,labels/a.nii.gz\n{}\nimages/c.nii.gz,labels/c.nii.gz\n"


NNUNET = (
    '{"file_ending": ".nii.gz", "channel_names": {"0": "MR"}, "labels": {"background": 0}, '
    '"dataset": {"a": {"images": ["images/a.nii.gz"], "label": "labels/a.nii.gz"}, '
    '"b": {"images": ["images/b.nii.gz"], "label": "labels/b.nii.gz"}}}'
)


MSD = (
    '{"training": [{"image": "images/a.nii.gz", "label": "labels/a.nii.gz"}, '
    '{"image": "images/b.nii.gz", "label": "labels/b.nii.gz"}]}'
)


@pytest.mark.parametrize(
    ("name", "text", "gone"),
    [
        ("set.csv", CSV.format("images/b.nii.gz,labels/b.nii.gz"), "images"),
        ("set.csv", CSV.format("images/b.nii.gz,labels/b.nii.gz"), "labels"),
        ("dataset.json", NNUNET, "images"),
        ("dataset.json", MSD, "images"),
        ("dataset.json", MSD, "labels"),
    ],
)
@pytest.mark.parametrize("verb", ["augment", "pairs"])
def test_a_file_that_is_not_there_stops_no_other(
    verb: str, name: str, text: str, gone: str, file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for case in "abc":
        save_ring(tmp_path, case, 5)
    (tmp_path / name).write_text(text)
    (tmp_path / gone / "b.nii.gz").unlink()
    words = ["--per-case", "1", "--levels", "30", "--model", str(file), "--device", "cpu"]
    assert run([verb, str(tmp_path / name), "--out", str(tmp_path / "out"), *words]) == 1
    captured = capsys.readouterr()
    failed = [line for line in captured.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1 and f"{gone}/b.nii.gz" in failed[0]
    assert f"made {text.count('images/') - 1}, kept 0, failed 1" in captured.out


def test_what_is_listed_again_is_taken_once(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in "abc":
        save_ring(tmp_path, case, 5)
    (tmp_path / "set.csv").write_text(CSV.format("images/a.nii.gz,labels/a.nii.gz"))
    assert shell(tmp_path / "set.csv", tmp_path / "out", file) == 0
    captured = capsys.readouterr()
    assert "made 2, kept 0" in captured.out and "note: 1 case is listed again" in captured.err


def table(home: Path, text: str | bytes) -> Path:
    path = home / "set.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def described(home: Path, text: str) -> Path:
    (home / "set" / "dataset.json").write_text(text)
    return home / "set"


def looped(home: Path) -> Path:
    (home / "loop").symlink_to("loop")
    return home / "loop"


def written(path: Path) -> Path:
    path.write_text("x")
    return path


def made(path: Path) -> Path:
    path.mkdir()
    return path


SETS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no folder": (lambda h: h / "gone", "no such data set"),
    "a loop of links": (looped, "no such data set"),
    "a text": (lambda h: written(h / "set.txt"), "this is no data set"),
    "an empty folder": (lambda h: made(h / "empty"), "empty"),
    "an empty table": (lambda h: table(h, "image,labels\n"), "empty"),
    "a table of nothing": (lambda h: table(h, ""), "no column image"),
    "a table without images": (lambda h: table(h, "labels\nx.nii\n"), "no column image"),
    "a table of another encoding": (lambda h: table(h, b"image\n\xff\xe9.nii\n"), "UTF-8"),
    "a row without an image": (lambda h: table(h, "image,labels\n,x.nii\n"), "line 2"),
    "a file that is not there": (lambda h: table(h, "image\ngone.nii.gz\n"), "line 2"),
    "a file listed twice": (
        lambda h: table(h, "image,labels\nset/images/a.nii.gz,\n"
                        "set/images/a.nii.gz,set/labels/a.nii.gz\n"), "2 times"),
    "half a description": (lambda h: described(h, '{"training": ['), "complete JSON"),
    "a list": (lambda h: described(h, "[]"), "describes no data set"),
    "a description of nothing": (lambda h: described(h, "{}"), "file_ending"),
    "a listed file that is not there": (
        lambda h: described(h, '{"training": [{"image": "x.nii.gz"}]}'), "no such file x.nii.gz"),
    "a listed number": (lambda h: described(h, '{"training": [7]}'), "case 1"),
    "labels of no value": (
        lambda h: described(h, '{"training": ["images/a.nii.gz"], "labels": {"a": "b"}}'),
        "labels cannot be understood"),
    "nothing numbered": (lambda h: described(h, '{"file_ending": ".nii.gz"}'), "empty"),
    "a broken table of cases": (
        lambda h: described(h, '{"file_ending": ".nii.gz", "dataset": {"a": {"images": []}}}'),
        "cannot be understood"),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_a_wrong_data_set_is_one_line_and_leaves_nothing(
    name: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ring(tmp_path / "set", "a", 5)
    make, reported = SETS[name]
    assert shell(make(tmp_path), tmp_path / "out", file) == 2
    captured = capsys.readouterr()
    assert reported in captured.err and len(captured.err.splitlines()) == 1 and not captured.out
    assert captured.err.startswith("error: ") and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers"),
        (["--retries", "-1"], "--retries"),
        (["--max-mm", "nan"], "--max-mm"),
        (["--min-mm", "5", "--max-mm", "3"], "--min-mm"),
        (["--max-volume-change", "-2"], "--max-volume-change"),
        (["--levels", "50~"], "--levels"),
        (["--levels", "30,900"], "level 900 does not exist"),
        (["--dataset-id", "0"], "--dataset-id"),
        (["--dask", "nowhere"], "no scheduler answers"),
    ],
)
def test_a_wrong_option_is_one_line(
    words: list[str], message: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--dask" in words:
        pytest.importorskip("distributed")
    save_ring(tmp_path / "set", "a", 5)
    assert shell(tmp_path / "set", tmp_path / "out", file, *words) == 2
    errors = [e for e in capsys.readouterr().err.splitlines() if e.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_written(
    place: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ring(tmp_path / "set", "a", 5)
    (tmp_path / "file").write_text("mine")
    assert shell(tmp_path / "set", tmp_path / place, file) == 2
    assert capsys.readouterr().err.count("error: ") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_stops_the_run_and_what_is_there_stays_valid(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in "abc":
        save_ring(tmp_path / "set", case, 5)
    out, room = tmp_path / "out", iter([10**9, 10**9])
    monkeypatch.setattr(work, "free_bytes", lambda _: next(room, 1000))
    assert shell(tmp_path / "set", out, file) == 2
    assert "error: the disk is full (1 kB left)" in capsys.readouterr().err
    held = list(lines(out))
    assert [line["name"] for line in held] == ["a-001", "b-001"]
    for line in held:
        assert all(sha256_file(out / name) == digest for name, digest in line["files"].items())
    monkeypatch.undo()
    assert shell(tmp_path / "set", out, file, "--resume") == 0
    assert "made 1, kept 2, failed 0" in capsys.readouterr().out
