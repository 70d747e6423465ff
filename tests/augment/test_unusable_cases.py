"""Bad cases of a data set: one clear line each, the others are made."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Picture

from src_core.augment.run_folder import read_index
from tests.support.augment_shell import RING, RING_LABELS, image, labels, save, shell
from tests.support.rings import oblique, save_ring

Spoil = Callable[[Path], None]


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
    "5D": (lambda d: save(image(d), np.ones((30, 44, 3, 2, 2), np.int16)), "colours or channels"),
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
    "colours of another size": (colours, "labels are 30 x 44 x 3"),
    "a picture cut short": (no_png, "picture cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_bad_case_is_one_line_and_the_others_are_made(
    name: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "set", tmp_path / "out"
    for case in "abc":
        save_ring(data, case, 5)
    spoil, reported = CASES[name]
    spoil(data)
    assert shell(data, out, file) == 1
    captured = capsys.readouterr()
    failed = [line for line in captured.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1 and reported in failed[0] and "Traceback" not in captured.err
    assert "Error:" not in failed[0], "an error of a library, not a line of ours"
    assert "made 2, kept 0, failed 1" in captured.out
    assert [Path(row["image"]).name[0] for row in read_index(out)] == ["a", "c"]
    assert "error: 1 new cases are missing" in captured.err


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
    captured = capsys.readouterr()
    assert (
        "made 4, kept 0, failed 0" in captured.out and "1 of 4 cases have no labels" in captured.err
    )
    names = {row["image"] for row in read_index(out)}
    assert names == {f"images/{n}-001.nii.gz" for n in ("Grün 1", "心 2", "a'b;c", "bare")}


def made(path: Path) -> Path:
    path.mkdir()
    return path
