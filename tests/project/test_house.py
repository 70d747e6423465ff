"""Rules of the house that no linter knows; each rule is also shown something it must refuse."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

ENGINE = sorted((ROOT / "src_core").rglob("*.py"))
SHIPPED = ENGINE + sorted((ROOT / "napari_drdm").rglob("*.py"))

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


def offenders(rule, paths: list[Path]) -> dict[str, object]:
    found = {str(path.relative_to(ROOT)): rule(path.read_text("utf-8")) for path in paths}
    return {path: offence for path, offence in found.items() if offence}


def test_there_are_modules_to_look_at():
    assert {"phrases.py", "sampling.py"} <= {path.name for path in ENGINE}


def test_the_engine_imports_no_viewer():
    assert offenders(viewers, ENGINE) == {}


def test_nothing_shipped_unpickles():
    assert offenders(unsafe_loads, SHIPPED) == {}


def test_one_module_resamples():
    found = offenders(lambda source: "grid_sample" in source, SHIPPED)
    assert list(found) == [str(Path("src_core", "fields", "sampling.py"))]


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
