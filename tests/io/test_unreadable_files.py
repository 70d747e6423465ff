"""Bad files at the engine's door: one line that names the file, and nothing left behind."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pillow

from src_core.cases.case import Case
from src_core.cases.checks import check_same_grid
from src_core.cases.grid import Grid
from src_core.errors import DRDMError, InputError
from src_core.io import nifti, read_case, read_field, write_field, write_image

SHAPE = (6, 5, 4)
AFFINE = np.diag([1.5, 2, 3, 1])


def ramp(shape: tuple[int, ...] = SHAPE, dtype: str = "i2") -> np.ndarray[Any, Any]:
    return (np.arange(np.prod(shape)).reshape(shape) % 100).astype(dtype)


def nii(path: Path, data: np.ndarray[Any, Any], affine: Any = AFFINE) -> Path:
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def raw(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def lying(path: Path, sides: tuple[int, int, int], compressed: bool) -> Path:
    header = nib.Nifti1Header()
    header["dim"][:4] = 3, *sides
    header["vox_offset"] = 352
    content = header.binaryblock + bytes(4 + 1000)
    return raw(path, gzip.compress(content) if compressed else content)


def header_with(path: Path, field: str, value: Any) -> Path:
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header["vox_offset"] = 352
    header[field] = value
    return raw(path, header.binaryblock + bytes(4 + 4000))


def with_nan(value: float) -> np.ndarray[Any, Any]:
    data = ramp(dtype="f4")
    data[1, 2, 3] = value
    return data


def rgb(path: Path) -> Path:
    colours = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    return nii(path, colours)


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def picture(path: Path, mode: str) -> Path:
    Pillow.fromarray(ramp((6, 5), "u1")).convert(mode).save(path)
    return path


IMAGES: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "missing": ("no.nii.gz", lambda p: p, "no such file"),
    "missing picture": ("no.png", lambda p: p, "no such file"),
    "a folder": ("dir.nii", folder, "this is a folder"),
    "a folder, plain name": ("dir", folder, "this is a folder"),
    "text": ("a.nii.gz", lambda p: raw(p, b"hello, this is text\n" * 40), "not a NIfTI file"),
    "short text": ("a.nii", lambda p: raw(p, b"hi"), "not a NIfTI file"),
    "empty": ("a.nii", lambda p: raw(p, b""), "the file is empty"),
    "empty gzip": ("a.nii.gz", lambda p: raw(p, gzip.compress(b"")), "the file is empty"),
    "unknown ending": ("a.mgz", lambda p: raw(p, b"NDims = 3"), "of FreeSurfer"),
    "truncated gzip": (
        "a.nii.gz",
        lambda p: raw(p, nii(p, ramp((40, 50, 6))).read_bytes()[:-300]),
        "compressed data end early",
    ),
    "damaged checksum": (
        "a.nii.gz",
        lambda p: raw(p, nii(p, ramp()).read_bytes()[:-8] + bytes(8)),
        "compressed data end early or are damaged",
    ),
    "truncated": (
        "a.nii",
        lambda p: raw(p, nii(p, ramp()).read_bytes()[:-9]),
        "more than the file",
    ),
    "promises 100 GB": ("a.nii", lambda p: lying(p, (4000, 4000, 3200), False), "more than the"),
    "gzip promises 100 GB": (
        "a.nii.gz",
        lambda p: lying(p, (4000, 4000, 3200), True),
        "more than the file can hold",
    ),
    "gzip promises a little more": (
        "a.nii.gz",
        lambda p: lying(p, (20, 20, 5), True),
        "bytes early",
    ),
    "empty shape": ("a.nii", lambda p: lying(p, (6, 0, 4), False), "6 x 0 x 4 voxels"),
    "negative shape": ("a.nii", lambda p: lying(p, (6, -5, 4), False), "6 x -5 x 4 voxels"),
    "unknown type": ("a.nii", lambda p: header_with(p, "datatype", 77), "data type 77"),
    "sform of zeros": ("a.nii", lambda p: header_with(p, "sform_code", 1), "orientation cannot"),
    "NaN": ("a.nii", lambda p: nii(p, with_nan(np.nan)), "1 of 120 voxels are NaN"),
    "infinite": ("a.nii", lambda p: nii(p, with_nan(np.inf)), "1 of 120 voxels are NaN"),
    "constant": ("a.nii", lambda p: nii(p, np.full(SHAPE, 7, "i2")), "every voxel is 7"),
    "colours": ("a.nii", rgb, "colours or complex"),
    "complex": ("a.nii", lambda p: nii(p, ramp(dtype="c8")), "colours or complex"),
    "one axis": ("a.nii", lambda p: nii(p, ramp((9,))), "the image has 1 axes"),
    "one voxel wide": ("a.nii", lambda p: nii(p, ramp((1, 5, 4))), "one voxel wide (1 x 5 x 4)"),
    "one voxel high": ("a.nii", lambda p: nii(p, ramp((6, 1, 4))), "one voxel wide (6 x 1 x 4)"),
    "a 5-D field": ("a.nii", lambda p: nii(p, ramp((*SHAPE, 1, 3))), "3 integers"),
    "a transparent picture": ("a.png", lambda p: picture(p, "LA"), "colour"),
    "not a picture": ("a.png", lambda p: raw(p, b"no"), "cannot be read"),
    "not a TIFF": ("a.tif", lambda p: raw(p, b"no"), "cannot be read"),
}


def one_line(error: InputError, *words: str) -> None:
    text = str(error)
    assert "\n" not in text and len(text) < 400
    for word in (*words, "expected "):
        assert word in text, text


@pytest.mark.parametrize("kind", IMAGES)
def test_a_bad_image_is_one_clear_line(kind: str, tmp_path: Path) -> None:
    name, make, words = IMAGES[kind]
    path = make(tmp_path / name)
    with pytest.raises(InputError) as caught:
        read_case(path)
    one_line(caught.value, words, str(path))


def test_a_fnirt_warp_is_no_cine(tmp_path: Path) -> None:
    grid = Case.from_arrays(ramp()).grid
    write_field(tmp_path / "w.nii", np.ones((*SHAPE, 3)), grid, format="fsl")
    with pytest.raises(InputError, match="displacement field"):
        read_case(tmp_path / "w.nii")


def test_a_huge_image_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nifti, "MAX_BYTES", 400)
    with pytest.raises(InputError, match="GiB"):
        read_case(nii(tmp_path / "a.nii.gz", ramp()))


def test_no_image_at_all() -> None:
    with pytest.raises(InputError, match="no image given"):
        read_case([])


@pytest.mark.parametrize("spacing", [0.0, -1.0, (1.0, np.nan), (1.0,) * 4])
def test_an_impossible_spacing(spacing: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="spacing"):
        read_case(picture(tmp_path / "a.png", "L"), spacing=spacing)


def test_a_spacing_is_for_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pictures only"):
        read_case(nii(tmp_path / "a.nii", ramp()), spacing=1.0)


def moved(mm: float) -> np.ndarray[Any, Any]:
    affine = AFFINE.astype(float)
    affine[0, 3] = mm
    return affine


LABELS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "other shape": (lambda p: nii(p, ramp((6, 5, 3))), "labels are 6 x 5 x 3 but the image is 6 x"),
    "fractions": (lambda p: nii(p, ramp(dtype="f4") / 2), "60 label values are not whole"),
    "NaN": (lambda p: nii(p, with_nan(np.nan)), "NaN"),
    "other place": (lambda p: nii(p, ramp(), moved(0.5)), "up to 0.5 mm away"),
    "other spacing": (lambda p: nii(p, ramp(), np.diag([1.5, 2, 3.1, 1])), "up to 0.3 mm away"),
    "frames": (lambda p: nii(p, ramp((*SHAPE, 2))), "6 x 5 x 4 x 2 but the image is 6 x 5 x 4"),
    "missing": (lambda p: p, "no such file"),
}


@pytest.mark.parametrize("kind", LABELS)
def test_bad_labels_are_one_clear_line(kind: str, tmp_path: Path) -> None:
    make, words = LABELS[kind]
    image, labels = nii(tmp_path / "image.nii", ramp()), make(tmp_path / "labels.nii")
    with pytest.raises(InputError) as caught:
        read_case(image, labels)
    one_line(caught.value, words, str(labels))


def test_labels_with_a_fractional_slope(tmp_path: Path) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.int16)
    header["vox_offset"], header["scl_slope"], header["pixdim"][1:4] = 352, 0.5, 1
    path = raw(tmp_path / "a.nii", header.binaryblock + bytes(4) + ramp().tobytes(order="F"))
    with pytest.raises(InputError, match="not whole numbers"):
        read_case(path, labels=path)


@pytest.mark.parametrize("mm", [0.0, 1e-4])
def test_good_labels_may_be_negative_or_a_hair_off(mm: float, tmp_path: Path) -> None:
    labels = nii(tmp_path / "l.nii", ramp() - np.int16(50), moved(mm))
    cine = nii(tmp_path / "c.nii", ramp((*SHAPE, 3)))
    case = read_case(cine, labels)
    assert case.label_map is not None and case.label_map.min() == -50
    assert case.image.shape == (*SHAPE, 3)


def test_images_of_different_grids(tmp_path: Path) -> None:
    first = nii(tmp_path / "a.nii", ramp())
    for other in (
        nii(tmp_path / "b.nii", ramp((6, 5, 3))),
        nii(tmp_path / "c.nii", ramp(), moved(9)),
    ):
        with pytest.raises(InputError) as caught:
            read_case([first, other])
        one_line(caught.value, "first image", str(other))


@pytest.mark.parametrize(("mm", "fits"), [(0.09, True), (0.11, False)])
def test_grids_may_differ_by_a_tenth_of_a_voxel(mm: float, fits: bool) -> None:
    grid = Grid.from_spacing((400, 300, 2), 1)
    shift = np.zeros((4, 4))
    shift[1, 3] = mm
    other = Grid(grid.shape, grid.affine + shift)
    with nullcontext() if fits else pytest.raises(InputError, match=f"up to {mm} mm away"):
        check_same_grid(grid, other, "the labels", "here")


def test_bad_arrays() -> None:
    for wrong in (np.zeros(SHAPE), ramp((1, 5, 4)), ramp((2, 2, 2, 2, 2)), with_nan(np.nan)):
        with pytest.raises(InputError):
            Case.from_arrays(wrong)
    with pytest.raises(InputError, match="float16"):
        Case.from_arrays(ramp(dtype="f2"))
    with pytest.raises(InputError, match="labels are"):
        Case.from_arrays(ramp(), labels=ramp((6, 5, 3)))


def test_bad_fields(tmp_path: Path) -> None:
    bad = ramp((*SHAPE, 1, 3), "f4")
    bad[0, 0, 0, 0, 0] = np.nan
    for data in (ramp(), ramp((*SHAPE, 2)), ramp((*SHAPE, 2, 3)), bad):
        path = nii(tmp_path / "u.nii", data)
        with pytest.raises(InputError) as caught:
            read_field(path)
        one_line(caught.value, str(path), "a displacement field in mm")


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    case = Case.from_arrays(ramp())
    for name in ("nowhere/a.nii", "a.mha"):
        with pytest.raises(InputError, match=Path(name).name):
            write_image(tmp_path / name, case.image, case.images[0])
    with pytest.raises(InputError, match="one slice"):
        write_image(tmp_path / "a.png", case.image, case.images[0])
    flat = Case.from_arrays(ramp((6, 5), "f4"))
    with pytest.raises(InputError, match="PNG cannot store float32"):
        write_image(tmp_path / "a.png", flat.image, flat.images[0])
    assert not list(tmp_path.iterdir())


def test_errors_travel_between_processes() -> None:
    error = InputError("what", where="here", expected="that", do="do so")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "what, here, expected that, do so"
    assert isinstance(error, DRDMError) and again.where == "here"
