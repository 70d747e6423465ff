"""The shell's commands: they agree with one another, JSON alone on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core.cli import run
from tests.support.shell_files import volume, write


def test_generate_replay_and_apply_agree(
    image: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, again, moved = (tmp_path / n for n in ("new", "again", "moved"))
    words = [str(image), "--labels", str(labels), "--level", "40", "--seed", "5"]
    assert run(["generate", *words, "--out", str(new), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == json.loads((new / "metrics.json").read_text())
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
    captured = capsys.readouterr()
    assert json.loads(captured.out)["covered_percent"] == pytest.approx(100 * 30 / 40)
    assert "covers 75.0 %" in captured.err
