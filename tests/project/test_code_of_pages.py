"""The code of every page, read and not run: names that exist, calls that the shell knows.

test_docs.py runs the pages on pipelines.
"""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from src_core.cli.app import app
from tests.support.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = ("src_core", "napari_drdm")
UsageError = typer.BadParameter.__base__


def calls(page: Path) -> list[str]:
    """Calls of our command, in fenced blocks or indented."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    return re.findall(r"^ {0,4}(drdm .*)$", text, re.MULTILINE)


def scripts(page: Path) -> list[str]:
    """Fenced blocks of Python."""
    text = page.read_text("utf-8")
    return re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def missing(source: str) -> list[str]:
    """Names that a text imports from our packages and that are not there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(OURS):
            home = import_module(str(node.module))
            found += [f"{node.module}.{n.name}" for n in node.names if not hasattr(home, n.name)]
    return found


def parse(line: str) -> None:
    """Let the shell read a call without running it.

    Raises:
        UsageError: no such command or option, or a value it does not take.
    """
    name, *words = shlex.split(line, comments=True)
    command = get_command(app)
    while hasattr(command, "resolve_command"):
        context = command.context_class(command, info_name=name)
        name, command, words = command.resolve_command(context, words)
    command.make_context(name, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_fits_what_there_is(page: Path) -> None:
    assert [missing(source) for source in scripts(page) if missing(source)] == []
    for line in calls(page):
        parse(line)


def test_there_is_code_to_look_at() -> None:
    assert sum(len(scripts(page)) for page in PAGES) > 10
    assert sum(len(calls(page)) for page in PAGES) > 30


@pytest.mark.parametrize(
    "line",
    ["drdm nothing x", "drdm generate a.nii --colour red", "drdm generate a.nii --level some"],
)
def test_a_call_that_the_shell_does_not_know_is_noticed(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line)


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert missing("from src_core import generate, nothing") == ["src_core.nothing"]
