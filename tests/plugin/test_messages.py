"""What the engine reports, as the shell and the window write it: flags here, labels there."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
from pathlib import Path

import pytest

import src_core
from napari_drdm import messages
from napari_drdm.messages import error_line, in_window
from src_core.cli.failures import in_shell
from src_core.errors import CommandName, InputError, OptionName, Phrase, one_line
from src_core.generation import make_options
from src_core.models.library import find_model

FLAG = re.compile(r"(^|[\s(=])--[a-z]|\bdrdm (models|apply|generate|augment|train|task|evaluate)\b")
#: Where commands are written: those users copy, a task's example, that of a model's card.
COMMANDS = {"recipes/snippets.py", "tasks/table.py", "training/run.py"}

RESUME = OptionName("resume", True)
TEXTS = [
    ((OptionName("per_case"),), "per_case", "--per-case", "Per case"),
    (("go on with ", RESUME), "go on with resume=True", "go on with --resume", "go on with Start"),
    (
        ("choose ", OptionName("formats", "nifti")),
        "choose formats='nifti'",
        "choose --format nifti",
        "choose Layout: images and labels",
    ),
    ((OptionName("number", 1),), "number=1", "--dataset-id 1", "Number: 1"),
    (
        ("see ", CommandName("models list"), "."),
        "see drdm models list.",
        "see drdm models list.",
        "see the list of models.",
    ),
    (
        ("use ", CommandName("models import", "a.pth")),
        "use drdm models import a.pth",
        "use drdm models import a.pth",
        "use Import… in the deformation explorer",
    ),
    (("/scans/a --b/{c}",), "/scans/a --b/{c}", "/scans/a --b/{c}", "/scans/a --b/{c}"),
]


@pytest.mark.parametrize(("parts", "python", "shell", "window"), TEXTS, ids=[t[1] for t in TEXTS])
def test_each_face_writes_names_in_its_own_way(
    parts: tuple[str | OptionName, ...], python: str, shell: str, window: str
) -> None:
    phrase = pickle.loads(pickle.dumps(Phrase(*parts)))
    assert (phrase, in_shell(phrase), in_window(phrase)) == (python, shell, window)


def test_a_plain_text_stays_what_it_is() -> None:
    assert in_shell("a --b per_case") == in_window("a --b per_case") == "a --b per_case"


def test_errors_are_one_line_and_keep_their_names_between_processes() -> None:
    error = InputError(
        "9\nis not  possible", where="a.csv", option="per_case", expected="1", do=Phrase(RESUME)
    )
    error = pickle.loads(pickle.dumps(error))
    assert str(error) == "9 is not possible, a.csv, per_case, expected 1, resume=True"
    line = "9 is not possible, a.csv, --per-case, expected 1, --resume"
    assert in_shell(one_line(error)) == line
    assert error_line(error) == "9 is not possible, a.csv, Per case, expected 1, Start"
    assert error_line(ValueError("a\nb")) == "ValueError: a b"


def test_the_engine_errors_name_their_option() -> None:
    with pytest.raises(InputError) as caught:
        find_model("nobody")
    assert caught.value.option == "model"
    assert error_line(caught.value).endswith("see the list of models")
    with pytest.raises(InputError) as caught:
        make_options(80, level=81)
    assert error_line(caught.value).startswith("level 81 does not exist, Level, ")
    assert str(caught.value).startswith("level 81 does not exist, level, ")


def test_no_text_of_the_engine_holds_a_flag_or_a_command_of_the_shell() -> None:
    top = Path(src_core.__file__).parent
    found = {}
    for path in sorted(top.rglob("*.py")):
        name = path.relative_to(top).as_posix()
        if not name.startswith("cli/") and name not in COMMANDS:
            found[name] = [t for t in _texts(path) if FLAG.search(t)]
    assert {name: texts for name, texts in found.items() if texts} == {}
    assert any(FLAG.search(text) for text in _texts(top / "recipes/snippets.py"))


def test_the_window_takes_no_text_apart() -> None:
    source = inspect.getsource(messages)
    assert "import re" not in source and '.replace("--' not in source


def _texts(path: Path) -> list[str]:
    """Every text of a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, described) and _doc(n)}
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs)
    return [node.value for node in texts if isinstance(node.value, str)]


def _doc(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return ast.get_docstring(node) is not None
