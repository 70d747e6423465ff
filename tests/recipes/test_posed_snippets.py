"""A result with a pose and intensities as Python and as a command, which make the same bits."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from src_core.cli import run
from src_core.generation import generate, make_options, save_result
from src_core.io import read_case
from src_core.io.case_files import save_case
from src_core.models.library import load_model
from src_core.recipes.snippets import call_of, command_text, python_text
from tests.support import tiny


@pytest.mark.parametrize("pose", ["nnunet", "small,shift=1.25,scale=0.875:1.1,flip=xy"])
def test_both_texts_make_the_same_bits(
    tmp_path: Path, pose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny.save(tmp_path / "models")
    model = load_model(file, "cpu")
    (tmp_path / "in").mkdir()
    save_case(tiny.case(), tmp_path / "in", tiny.case())
    case = read_case(tmp_path / "in/image.nii.gz", tmp_path / "in/labels.nii.gz")
    result = generate(case, model, level=20, seed=4, pose=pose, intensity="noise=0:0.3")
    save_result(result, tmp_path / "one")
    call = call_of(result)
    assert make_options(80, **call.options).pose == make_options(80, pose=pose).pose
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command_text(call, windows=False))
    assert words[0] == "drdm" and run(words[1:]) == 0
    made = read_case(Path(call.out) / "image.nii.gz", Path(call.out) / "labels.nii.gz")
    assert (made.image == result.case.image).all()
    assert (made.label_map == result.case.label_map).all()
    namespace: dict[str, object] = {}
    exec(python_text(call), namespace)
    again = read_case(Path(call.out) / "image.nii.gz")
    assert (again.image == result.case.image).all()
