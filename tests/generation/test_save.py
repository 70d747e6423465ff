"""A result saved in a folder: whole or not at all, and nothing of the user's is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src_core.errors import InputError
from src_core.generation import Result, save_result
from src_core.generation.recipe import digests
from src_core.io import read_case

FILES = {"image", "labels", "displacement", "inverse", "jacobian"}


def test_a_result_without_files_is_saved_with_its_input(result: Result, tmp_path: Path) -> None:
    out = save_result(result, tmp_path / "out")
    names = {f"{n}.nii.gz" for n in (*FILES, "input", "input-labels")}
    assert {p.name for p in out.iterdir()} == names | {"recipe.json", "metrics.json"}
    again = read_case(out / "input.nii.gz", out / "input-labels.nii.gz")
    saved = json.loads((out / "recipe.json").read_text())["inputs"]["arrays"]
    assert digests(again) == {k: v["sha256"] for k, v in saved.items()}
    assert read_case(out / "image.nii.gz").image.tobytes() == result.case.image.tobytes()


def test_a_folder_with_content_is_never_touched(result: Result, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match=r"not empty.*overwrite=True"):
        save_result(result, out)
    assert [p.name for p in tmp_path.rglob("*") if p.suffix != ".safetensors"] == [
        "out",
        "mine.txt",
    ]
    save_result(result, out, overwrite=True)
    assert (out / "mine.txt").read_text() == "precious"
    assert (out / "image.nii.gz").exists()


def test_nothing_is_left_of_a_save_that_fails(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src_core.generation.save.write_scalar", full)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(OSError, match="No space left"):
        save_result(result, tmp_path / "deep" / "out")
    assert set(tmp_path.rglob("*")) == before
