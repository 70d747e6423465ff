"""A copied command: every option, words as Windows reads them, names as folders."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_core.cli.generate import generate
from src_core.generation import Options
from src_core.generation.options import parse_region
from src_core.recipes.snippets import Call, command_text, plain_name

CALL = Call("t", (), (), None, "tiny", {"level": 1, "seed": 2}, "cpu", "out")


def arguments(line: str) -> list[str]:
    """What a Windows program gets of a line without inner double quotes (CommandLineToArgvW)."""
    words, word, quoted, i = [], "", False, 0
    while i < len(line):
        slashes = len(line[i:]) - len(line[i:].lstrip("\\"))
        i += slashes
        if line[i : i + 1] == '"':
            word += "\\" * (slashes // 2)
            assert slashes % 2 == 0
            quoted, i = not quoted, i + 1
        elif slashes:
            word += "\\" * slashes
        elif line[i] == " " and not quoted:
            words, word, i = [*words, word], "", i + 1
        else:
            word, i = word + line[i], i + 1
    return [*words, word]


@given(st.lists(st.text("ab \\'&(),;@:^é", min_size=1), min_size=1, max_size=3))
def test_windows_programs_get_the_words_that_were_meant(names):
    line = command_text(replace(CALL, images=tuple(names)), windows=True)
    assert arguments(line)[2 : 2 + len(names)] == names


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("C:\\scans\\a.nii.gz", "C:\\scans\\a.nii.gz"),
        ("C:\\my scans\\", '"C:\\my scans\\\\"'),
        ("a,b", '"a,b"'),
        ("$env:x `1 o'clock", "'$env:x `1 o''clock'"),
        ("50 %", "'50 %'"),
        ("“a”", "'“a”'"),
    ],
)
def test_quotes_on_windows(word, quoted):
    assert f"generate {quoted} --model" in command_text(replace(CALL, images=(word,)), windows=True)


@pytest.mark.parametrize(
    ("name", "plain"), [("a/b: c", "a-b--c"), ("..", "drdm"), ("heart.1", "heart.1"), ("-x", "x")]
)
def test_a_plain_name(name, plain):
    assert plain_name(name) == plain


def test_the_command_takes_every_option_there_is():
    assert set(Options.model_fields) <= set(inspect.signature(generate).parameters)


def test_a_region_is_written_as_the_command_reads_it():
    region = ((40, 168), (30, 158), (0, 10))
    call = replace(CALL, options={"level": 1, "region": region, "allow_folds": True})
    line = command_text(call, windows=False)
    assert " --level 1 --region 40:168,30:158,0:10 --allow-folds --device" in line
    assert parse_region(line.split("--region ")[1].split()[0]) == region
