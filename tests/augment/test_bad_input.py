"""Bad input to an augmentation: one clear line each, the rest done, and the exit code tells."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture

from src_core.augment import jobs as work
from src_core.augment.manifest import lines
from src_core.augment.run_folder import read_index
from src_core.cli import run
from src_core.io.hashing import sha256_file
from tests.support.rings import oblique, ring, save_ring, save_tiny

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model"))


def shell(data: Path, out: Path, file: Path, *words: str) -> int:
    call = ["augment", str(data), "--out", str(out), "--model", str(file), "--device", "cpu"]
    return run([*call, "--per-case", "1", "--format", "nifti", "--levels", "30", *words])


def image(data: Path) -> Path:
    return data / "images" / "b.nii.gz"


def labels(data: Path) -> Path:
    return data / "labels" / "b.nii.gz"


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> None:
    nib.save(nib.Nifti1Image(array, oblique() if affine is None else affine), path)


def header(path: Path, **fields: object) -> None:
    """Write fields of a header that no library would."""
    raw = bytearray(gzip.decompress(path.read_bytes()))
    head = nib.Nifti1Header(bytes(raw[:348]), check=False)
    for name, value in fields.items():
        head[name] = value
    path.write_bytes(gzip.compress(head.binaryblock + bytes(raw[348:])))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def vectors(data: Path) -> None:
    made = nib.Nifti1Image(np.ones((30, 44, 3, 1, 3), np.float32), oblique())
    made.header.set_intent("vector")
    nib.save(made, image(data))


def relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def colours(data: Path) -> None:
    image(data).unlink()
    Picture.fromarray(np.zeros((30, 44, 3), np.uint8)).save(data / "images" / "b.png")


def no_png(data: Path) -> None:
    image(data).unlink()
    (data / "images" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing")


RING, RING_LABELS = ring(5)
CASES: dict[str, tuple[Spoil, str]] = {
    "a text": (lambda d: image(d).write_text("no image"), "not a NIfTI file"),
    "an empty file": (lambda d: image(d).write_bytes(b""), "the file is empty"),
    "cut short": (lambda d: cut(image(d)), "b.nii.gz"),
    "labels cut short": (lambda d: cut(labels(d)), "labels/b.nii.gz"),
    "labels of another shape": (lambda d: save(labels(d), RING_LABELS[:-1]), "labels/b.nii.gz"),
    "labels of another spacing": (
        lambda d: save(labels(d), RING_LABELS, oblique((1.5, 1.3, 8))), "labels/b.nii.gz"),
    "labels with fractions": (
        lambda d: save(labels(d), RING_LABELS * np.float32(0.4)), "not whole numbers"),
    "labels without voxels": (
        lambda d: labels(d).write_bytes(labels(d).read_bytes()[:0]), "the file is empty"),
    "labels of other frames": (
        lambda d: save(labels(d), np.stack([RING_LABELS] * 3, -1)), "labels/b.nii.gz"),
    "a field": (vectors, "displacement field"),
    "5D": (lambda d: save(image(d), np.ones((30, 44, 3, 2, 2), np.int16)), "vector image"),
    "not finite": (
        lambda d: save(image(d), np.where(RING > 50, np.nan, RING).astype(np.float32)), "finite"),
    "constant": (lambda d: save(image(d), np.full_like(RING, 7)), "b.nii.gz"),
    "complex": (lambda d: save(image(d), RING.astype(np.complex64)), "b.nii.gz"),
    "one voxel": (lambda d: save(image(d), RING[:1, :1, :1]), "b.nii.gz"),
    "a folder": (lambda d: folder(image(d)), "b.nii.gz"),
    "a link to nothing": (lambda d: relink(image(d), "gone.nii.gz"), "b.nii.gz"),
    "a link to itself": (lambda d: relink(image(d), "b.nii.gz"), "b.nii.gz"),
    "no axes": (lambda d: header(image(d), dim=[0] * 8), "b.nii.gz"),
    "too large for its file": (
        lambda d: header(image(d), dim=[3, 3000, 3000, 300, 1, 1, 1, 1]), "b.nii.gz"),
    "an unknown type": (lambda d: header(image(d), datatype=77), "data type 77"),
    "a spacing of nothing": (lambda d: header(image(d), pixdim=[1] + [0] * 7), "b.nii.gz"),
    "a flat affine": (
        lambda d: header(image(d), srow_x=[0] * 4, srow_y=[0] * 4, sform_code=1, qform_code=0),
        "b.nii.gz"),
    "colours": (colours, "in colour"),
    "a picture cut short": (no_png, "picture cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_bad_case_is_one_line_and_the_others_are_made(
    name: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "set", tmp_path / "out"
    for case in "abc":
        save_ring(data, case, 5)
    spoil, said = CASES[name]
    spoil(data)
    assert shell(data, out, file) == 1
    told = capsys.readouterr()
    failed = [line for line in told.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1 and said in failed[0] and "Traceback" not in told.err
    assert "Error:" not in failed[0], "an error of a library, not a line of ours"
    assert "made 2, kept 0, failed 1" in told.out
    assert [Path(row["image"]).name[0] for row in read_index(out)] == ["a", "c"]
    assert "error: 1 new cases are missing" in told.err


def test_odd_but_right_cases_are_made(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "sét of ö", tmp_path / "out put"
    for name in ("Grün 1", "心 2", "a'b;c", "bare", "._junk"):
        save_ring(data, name, 5)
    (data / "labels" / "bare.nii.gz").unlink()
    save(data / "images" / "a'b;c.nii.gz", RING, oblique((1, 1.4, 5)))
    save(data / "labels" / "a'b;c.nii.gz", RING_LABELS, oblique((1, 1.4, 5)))
    many = (np.arange(RING.size) % 300).astype(np.int16).reshape(RING.shape)
    save(data / "labels" / "心 2.nii.gz", many)
    assert shell(data, out, file) == 0
    told = capsys.readouterr()
    assert "made 4, kept 0, failed 0" in told.out and "1 of 4 cases have no labels" in told.err
    names = {row["image"] for row in read_index(out)}
    assert names == {f"images/{n}-001.nii.gz" for n in ("Grün 1", "心 2", "a'b;c", "bare")}


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
    told = capsys.readouterr()
    failed = [line for line in told.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1 and f"{gone}/b.nii.gz" in failed[0]
    assert f"made {text.count('images/') - 1}, kept 0, failed 1" in told.out


def test_what_is_listed_again_is_taken_once(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in "abc":
        save_ring(tmp_path, case, 5)
    (tmp_path / "set.csv").write_text(CSV.format("images/a.nii.gz,labels/a.nii.gz"))
    assert shell(tmp_path / "set.csv", tmp_path / "out", file) == 0
    told = capsys.readouterr()
    assert "made 2, kept 0" in told.out and "note: 1 case is listed again" in told.err


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
    make, said = SETS[name]
    assert shell(make(tmp_path), tmp_path / "out", file) == 2
    told = capsys.readouterr()
    assert said in told.err and len(told.err.splitlines()) == 1 and not told.out
    assert told.err.startswith("error: ") and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
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
    words: list[str], said: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--dask" in words:
        pytest.importorskip("distributed")
    save_ring(tmp_path / "set", "a", 5)
    assert shell(tmp_path / "set", tmp_path / "out", file, *words) == 2
    errors = [e for e in capsys.readouterr().err.splitlines() if e.startswith("error: ")]
    assert len(errors) == 1 and said in errors[0]


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
