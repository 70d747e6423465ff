"""What the engine says, as the window says it: no flag and no verb of the shell."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import src_core
from napari_drdm.messages import in_window, said
from src_core.errors import InputError
from src_core.generation import make_options
from src_core.models.library import find_model

FLAG = re.compile(r"(^|[\s(])--[a-z]|drdm [a-z]+ ")
#: Parts of the engine that a window never runs.
SHELL = (
    "cli",
    "evaluation",
    "training",
    "tasks",
    "transforms",
    "snippets.py",
    "replay.py",
    "cluster.py",
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("9 is no number, --per-case", "9 is no number, Per case"),
        ("full, make room, then go on (--resume)", "full, make room, then go on"),
        ("choose another, or overwrite (--overwrite)", "choose another, or overwrite"),
        ("no such device here, --device cuda:3", "no such device here, Device cuda:3"),
        (
            "cases marked test are augmented too, --split train leaves them out",
            "cases marked test are augmented too, train as Split leaves them out",
        ),
        ("/scans/a--b/c.nii is damaged", "/scans/a--b/c.nii is damaged"),
        ("no flag, no change: - -- a-b", "no flag, no change: - -- a-b"),
        (
            "give an image (fields go to: drdm apply)",
            "give an image (fields go to: Layers > Transform > Apply displacement field)",
        ),
    ],
)  # fmt: skip
def test_flags_become_controls(line: str, words: str) -> None:
    assert in_window(line) == words


def test_errors_are_said_in_one_line() -> None:
    with pytest.raises(InputError) as told:
        find_model("nobody")
    assert said(told.value).endswith("choose one of the list") and "Model" in said(told.value)
    with pytest.raises(InputError) as told:
        make_options(80, level=81)
    assert said(told.value).startswith("level 81 does not exist, Level, ")
    assert said(ValueError("a\nb")) == "ValueError: a b"


def test_no_line_of_the_engine_names_a_flag_in_the_window() -> None:
    top = Path(src_core.__file__).parent
    left = {}
    for path in sorted(top.rglob("*.py")):
        if not set(SHELL) & set(path.relative_to(top).parts):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            left[path.name] = [line for line in _lines(tree) if FLAG.search(in_window(line))]
    assert {name: lines for name, lines in left.items() if lines} == {}


def _lines(tree: ast.Module) -> list[str]:
    """What ``InputError`` and the like are told, with a word for every value that is put in."""
    told = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "InputError":
            parts = [*call.args, *(keyword.value for keyword in call.keywords)]
            told.append(", ".join(_text(part) for part in parts))
    return told


def _text(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part, ast.JoinedStr):
        return "".join(_text(v) if isinstance(v, ast.Constant) else "value" for v in part.values)
    return "value"
