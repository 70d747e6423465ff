"""The shell: exit codes, one line an error, nothing left behind, JSON alone on stdout."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run


def write(path: Path, data: np.ndarray, spacing: float = 1.5) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([-spacing, -spacing, 8.0, 1.0])), path)
    return path


def volume(shape: tuple[int, ...] = (40, 52, 3)) -> np.ndarray:
    x, y, *_ = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    return (500 * np.exp(-4 * (x**2 + y**2)) + 20 * np.cos(9 * x)).astype(np.int16)


def rings(shape: tuple[int, ...] = (40, 52, 3)) -> np.ndarray:
    x, y, *_ = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    radius = np.hypot(x, y)
    return ((radius < 0.6).astype(np.uint8) + (radius < 0.35)).astype(np.uint8)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write(tmp_path / "case.nii.gz", volume())


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(tmp_path / "seg.nii.gz", rings())


class Boom:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("executed",)


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
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1 and lines[0].startswith("error: "), said.err
    assert "Traceback" not in said.err and said.out == ""
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_harmful_pickle_is_not_imported_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Boom()))
    assert run(["models", "import", "bad.pth"]) == 2
    assert not (tmp_path / "executed").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_generate_replay_and_apply_agree(
    image: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, again, moved = (tmp_path / n for n in ("new", "again", "moved"))
    words = [str(image), "--labels", str(labels), "--level", "40", "--seed", "5"]
    assert run(["generate", *words, "--out", str(new), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads((new / "metrics.json").read_text())
    assert sorted(p.name for p in new.iterdir()) == [
        "displacement.nii.gz", "image.nii.gz", "inverse.nii.gz", "jacobian.nii.gz",
        "labels.nii.gz", "metrics.json", "recipe.json",
    ]  # fmt: skip
    assert run(["replay", str(new / "recipe.json"), "--out", str(again)]) == 0
    assert "same bits" in capsys.readouterr().out
    for name in ("image", "labels", "displacement", "inverse", "jacobian"):
        assert (new / f"{name}.nii.gz").read_bytes() == (again / f"{name}.nii.gz").read_bytes()
    field = str(new / "displacement.nii.gz")
    assert run(["apply", field, str(image), "--labels", str(labels), "--out", str(moved)]) == 0
    for name in ("image", "labels"):
        one, two = (nib.load(f / f"{name}.nii.gz").dataobj for f in (new, moved))
        assert np.array_equal(one, two)


def test_replay_refuses_another_image_and_takes_a_moved_one(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", str(image), "--level", "20", "--out", str(tmp_path / "new")]) == 0
    recipe = str(tmp_path / "new" / "recipe.json")
    moved = image.rename(tmp_path / "elsewhere.nii.gz")
    assert run(["replay", recipe]) == 2
    other = write(tmp_path / "other.nii.gz", volume() + np.int16(1))
    assert run(["replay", recipe, "--image", str(other)]) == 2
    assert "is not what the recipe was made from" in capsys.readouterr().err
    assert run(["replay", recipe, "--image", str(moved)]) == 0


def test_max_mm_finds_the_strongest_level_within_it(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def largest(*words: str) -> dict[str, float]:
        assert (
            run(
                [
                    "generate",
                    str(image),
                    *words,
                    "--json",
                    "--overwrite",
                    "--out",
                    str(tmp_path / "n"),
                ]
            )
            == 0
        )
        return dict(json.loads(capsys.readouterr().out))

    found = largest("--max-mm", "4")
    assert found["max_mm"] <= 4
    assert largest("--level", str(int(found["level"]) + 1))["max_mm"] > 4


def test_a_picture_comes_back_as_a_picture(tmp_path: Path) -> None:
    from PIL import Image

    pixels = volume((48, 60, 2))[..., 0].clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (
        run(["generate", str(tmp_path / "a.png"), "--spacing", "1.2", "--out", str(tmp_path / "n")])
        == 0
    )
    with Image.open(tmp_path / "n" / "image.png") as new, Image.open(tmp_path / "a.png") as old:
        assert (new.size, new.mode) == (old.size, old.mode)


def test_models_list_info_import_and_remove(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from src_core.models import library

    monkeypatch.setattr(library, "user_folder", lambda: tmp_path / "models")
    assert run(["models", "info", "cardiac-sax", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["card"]["licence"] == "weights Apache-2.0, data CC0-1.0"
    assert run(["models", "import", card["file"]]) == 2
    assert run(["models", "import", card["file"], "--name", "mine"]) == 0
    capsys.readouterr()
    assert run(["models", "list", "--json"]) == 0
    names = [m["name"] for m in json.loads(capsys.readouterr().out)["models"]]
    assert names == ["cardiac-sax", "mine"]
    assert run(["models", "remove", "cardiac-sax"]) == 2
    assert run(["models", "remove", "mine"]) == 0
    assert run(["models", "remove", "mine"]) == 2


def test_help_loads_neither_torch_nor_napari() -> None:
    code = (
        "import sys; from src_core.cli import run; run(['--help']); run(['generate', '--help']);"
        "assert not {'torch', 'napari', 'scipy', 'nibabel', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Example" in done.stdout


def test_a_field_that_lies_elsewhere_is_refused_and_one_that_overlaps_warned_of(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", str(image), "--level", "20", "--out", str(tmp_path / "new")]) == 0
    field = str(tmp_path / "new" / "displacement.nii.gz")

    def shifted(mm: float) -> str:
        affine = np.diag([-1.5, -1.5, 8.0, 1.0])
        affine[0, 3] = mm
        nib.save(nib.Nifti1Image(volume(), affine), tmp_path / "moved.nii.gz")
        return str(tmp_path / "moved.nii.gz")

    assert run(["apply", field, shifted(500), "--out", str(tmp_path / "far")]) == 2
    assert not (tmp_path / "far").exists()
    capsys.readouterr()
    assert run(["apply", field, shifted(15), "--json", "--out", str(tmp_path / "near")]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["covered_percent"] == pytest.approx(100 * 30 / 40)
    assert "covers 75.0 %" in said.err
