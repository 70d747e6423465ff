"""A result with targets as Python and as a command, which make the same bits; and one without."""

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

TARGETS = ("largest 4 mm", "still 2:6,2:6,0:1")


def test_both_texts_make_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(tiny.save(tmp_path / "models"), "cpu")
    (tmp_path / "in").mkdir()
    save_case(tiny.case(), tmp_path / "in", tiny.case())
    case = read_case(tmp_path / "in/image.nii.gz", tmp_path / "in/labels.nii.gz")
    plain = call_of(generate(case, model, level=20, seed=4))
    assert "target" not in command_text(plain) + python_text(plain)
    result = generate(case, model, level=20, seed=4, targets=TARGETS)
    save_result(result, tmp_path / "one")
    call = call_of(result)
    assert make_options(80, **call.options).targets == make_options(80, targets=TARGETS).targets
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command_text(call, windows=False))
    assert words.count("--target") == 2 and run(words[1:]) == 0
    made = read_case(Path(call.out) / "image.nii.gz")
    assert (made.image == result.case.image).all()
    exec(python_text(call), {})
    again = read_case(Path(call.out) / "image.nii.gz")
    assert (again.image == result.case.image).all()
