"""Rules of the house that no linter knows; each rule is also shown something it must refuse."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

ENGINE = sorted((ROOT / "src_core").rglob("*.py"))
SHIPPED = ENGINE + sorted((ROOT / "napari_drdm").rglob("*.py"))
WRITTEN = SHIPPED + sorted(
    path for home in ("benchmarks", "tests", "tools") for path in (ROOT / home).rglob("*.py")
)
MOST_LINES = 300

BINDINGS = {"PyQt5", "PyQt6", "PySide2", "PySide6"}
VIEWERS = BINDINGS | {"magicgui", "napari", "napari_drdm", "qtpy", "superqt", "vispy"}
UNPICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported anywhere, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def viewers(source: str) -> set[str]:
    return {name.split(".")[0] for name in imported(ast.parse(source))} & VIEWERS


def says(call: ast.Call, keyword: str) -> bool:
    """Whether a call passes ``keyword=True``, literally."""
    return any(
        given.arg == keyword and isinstance(given.value, ast.Constant) and given.value.value is True
        for given in call.keywords
    )


def unsafe_names(tree: ast.AST) -> Iterator[str]:
    """Uses of modules that unpickle; only their exceptions may be named."""
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for name in attributes | set(imported(tree)):
        home, _, what = name.partition(".")
        if name == "torch.load" and name not in attributes:
            yield f"from {name}"
        elif home in UNPICKLERS and what and not what.endswith("Error"):
            yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.alias) and node.asname and node.name in UNPICKLERS | {"torch"}:
            yield f"{node.name} as {node.asname}"


def unsafe_loads(source: str) -> list[str]:
    """What in a module could run code out of a file it reads."""
    tree = ast.parse(source)
    found = list(unsafe_names(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        is_torch_load = ast.unparse(call.func) == "torch.load"
        if says(call, "allow_pickle") or (is_torch_load and not says(call, "weights_only")):
            found.append(ast.unparse(call))
    return found


def too_long(source: str) -> int:
    """How many lines a file has, if they are too many."""
    count = len(source.splitlines())
    return count if count > MOST_LINES else 0


def classes(source: str) -> set[str]:
    """Names of the classes of a module that others may use."""
    nodes = ast.walk(ast.parse(source))
    return {n.name for n in nodes if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}


def repeated(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def flags(source: str) -> list[str]:
    """Texts of errors that name an option as the shell does; each face has words of its own."""
    raised = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise))
    texts = (
        part.value for node in raised for part in ast.walk(node) if isinstance(part, ast.Constant)
    )
    return [text for text in texts if isinstance(text, str) and re.search(r"(?<!\S)--[a-z]", text)]


def strangers(tests: Path, shipped: Path, besides: set[str]) -> set[str]:
    """Folders of tests that mirror no room."""
    folders = [path.relative_to(tests) for path in tests.rglob("*") if path.is_dir()]
    mirrors = [p for p in folders if p.name != "__pycache__" and p.parts[0] not in besides]
    rooms = {path.relative_to(shipped).with_suffix("") for path in shipped.rglob("*")}
    return {path.as_posix() for path in mirrors if path not in rooms}


def says_no_subject(path: Path) -> bool:
    """Whether a file's name says how it came to be, not what it is about."""
    return bool(re.search(r"_(bad|details|misc|more|parts|rest)\.py$", path.name))


def entries(home: Path) -> list[str]:
    """What lies at the top of a package, besides what every package has."""
    usual = {"__init__.py", "__pycache__", "py.typed"}
    return sorted(path.name for path in home.iterdir() if path.name not in usual)


def offenders(rule, paths: list[Path]) -> dict[str, object]:
    found = {str(path.relative_to(ROOT)): rule(path.read_text("utf-8")) for path in paths}
    return {path: offence for path, offence in found.items() if offence}


def test_there_are_modules_to_look_at():
    assert {"grid.py", "sampling.py"} <= {path.name for path in ENGINE}


def test_the_engine_imports_no_viewer():
    assert offenders(viewers, ENGINE) == {}


def test_nothing_shipped_unpickles():
    assert offenders(unsafe_loads, SHIPPED) == {}


def test_one_module_resamples():
    found = offenders(lambda source: "grid_sample" in source, SHIPPED)
    assert list(found) == [str(Path("src_core", "fields", "sampling.py"))]


def test_no_file_is_too_long():
    assert offenders(too_long, WRITTEN) == {}


def test_a_class_has_a_name_of_its_own():
    names = [name for path in SHIPPED for name in sorted(classes(path.read_text("utf-8")))]
    assert len(names) > 100
    assert repeated(names) == set()


def test_errors_name_no_flag_of_the_shell():
    outside = [path for path in SHIPPED if ROOT / "src_core" / "cli" not in path.parents]
    assert offenders(flags, outside) == {}


def test_packages_have_few_rooms():
    assert len(entries(ROOT / "src_core")) <= 20
    assert len(entries(ROOT / "napari_drdm")) <= 14


def test_tests_lie_as_the_code_does():
    beside = {"plugin", "project", "support"}
    assert strangers(ROOT / "tests", ROOT / "src_core", beside) == set()
    assert strangers(ROOT / "tests" / "plugin", ROOT / "napari_drdm", set()) == set()


def test_file_names_say_a_subject():
    tests = [path for path in WRITTEN if path.name.startswith("test_")]
    assert len(tests) > 100
    assert [path.name for path in tests if says_no_subject(path)] == []


def test_no_module_lies_at_the_root():
    # it would ship inside napari_drdm_manifest, whose folder is the root
    assert [path.name for path in ROOT.glob("*.py")] == []


@pytest.mark.parametrize("module", ["src_core"])
def test_importing_is_light(module):
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert set(ran.stdout.split()) & (VIEWERS | {"torch"}) == set()


@pytest.mark.parametrize(
    "source",
    [
        "import napari",
        "def f():\n    from napari.layers import Image",
        "import numpy, qtpy.QtCore",
        "from napari_drdm import layers",
    ],
)
def test_a_viewer_is_noticed(source):
    assert viewers(source)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(file)",
        "import pickle as safe",
        "from pickle import loads",
        "import joblib\nread = joblib.load",
        "from torch import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=flag)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_an_unsafe_load_is_noticed(source):
    assert unsafe_loads(source)


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "from safetensors.torch import load",
        "import pickle\ntry: f()\nexcept pickle.UnpicklingError: g()",
    ],
)
def test_a_safe_load_passes(source):
    assert not unsafe_loads(source)


def test_a_long_file_is_noticed():
    assert too_long("x\n" * 301) == 301
    assert not too_long("x\n" * 300)


def test_a_name_used_twice_is_noticed():
    modules = [
        "class Job: pass",
        "def f():\n    class Job: pass",
        "class _Job: pass\nclass Jobs: pass",
    ]
    assert repeated(name for source in modules for name in classes(source)) == {"Job"}


@pytest.mark.parametrize(
    "source",
    [
        "raise InputError('give --steps')",
        "raise InputError(f'{n} is not possible, --steps, expected 1 up')",
        "if x:\n    raise error(where='--level')",
    ],
)
def test_a_flag_in_an_error_is_noticed(source):
    assert flags(source)


@pytest.mark.parametrize(
    "source", ["raise InputError('a -- b', Option('steps'))", "words += ['--steps', '3']"]
)
def test_other_dashes_pass(source):
    assert not flags(source)


def test_a_folder_and_a_room_too_many_are_noticed(tmp_path):
    trees = {"code": ("fields", "io.py"), "tests": ("fields/deep", "io", "looks")}
    for home, names in trees.items():
        for name in names:
            (tmp_path / home / name).mkdir(parents=True)
    (tmp_path / "code" / "__init__.py").touch()
    assert strangers(tmp_path / "tests", tmp_path / "code", {"io"}) == {"fields/deep", "looks"}
    assert strangers(tmp_path / "tests", tmp_path / "code", {"fields", "looks"}) == set()
    assert entries(tmp_path / "code") == ["fields", "io.py"]


def test_a_name_without_a_subject_is_noticed():
    assert says_no_subject(Path("test_window_more.py"))
    assert not says_no_subject(Path("test_more_steps.py"))
